-- The model catalogue: regions, other names of regions and vendors, models.
--
-- Idempotent: what is there already stays as it is, so that what an operator
-- has edited survives a second run.  To take over a row anew, delete it first.
--
-- A row a model.  Prices, context, features and dates are from LiteLLM's price
-- map (model_prices_and_context_window.json of github.com/BerriAI/litellm,
-- MIT licence), read in November 2026; tier, active and regions are curated
-- here.  Unknown is NULL (or no region), never a guess.

-- ---- regions
--
-- The one vocabulary.  A policy names a region or a group.  Membership in a
-- group is law, not geography: what is near the EU is not in it.  A region
-- called like its group is for a vendor that promises no more than that.

INSERT INTO regions (region, region_group) VALUES
	-- us: the United States
	('us',           'us'),        -- somewhere in the United States
	('us-east',      'us'),        -- Virginia, Ohio, South Carolina
	('us-central',   'us'),        -- Iowa, Illinois, Wyoming, Texas
	('us-west',      'us'),        -- Oregon, California, Washington, Arizona, Nevada, Utah
	('us-gov-east',  'us'),        -- for the government alone
	('us-gov-west',  'us'),        -- for the government alone
	-- eu: the European Union
	('eu',           'eu'),        -- somewhere in the European Union
	('eu-west',      'eu'),        -- Ireland, the Netherlands, Belgium, France
	('eu-central',   'eu'),        -- Germany, Poland
	('eu-north',     'eu'),        -- Sweden, Finland
	('eu-south',     'eu'),        -- Italy, Spain
	-- asia: Asia, as far as the Middle East
	('asia',         'asia'),      -- somewhere in Asia
	('ap-south',     'asia'),      -- India
	('ap-southeast', 'asia'),      -- Singapore, Indonesia, Malaysia, Thailand
	('ap-northeast', 'asia'),      -- Japan, Korea
	('ap-east',      'asia'),      -- Hong Kong, Taiwan
	('cn',           'asia'),      -- somewhere in mainland China
	('cn-north',     'asia'),      -- Beijing, Hebei
	('cn-northwest', 'asia'),      -- Ningxia
	('cn-east',      'asia'),      -- Shanghai
	-- other: what belongs to none of the three
	('uk-south',     'other'),     -- the United Kingdom: not the EU
	('ch-north',     'other'),     -- Switzerland: not the EU
	('no-east',      'other'),     -- Norway: EEA, not the EU
	('ca-central',   'other'),     -- Ontario, Quebec
	('ca-west',      'other'),     -- Alberta
	('mx-central',   'other'),     -- Mexico
	('sa-east',      'other'),     -- Brazil
	('sa-west',      'other'),     -- Chile
	('au-east',      'other'),     -- New South Wales, Canberra
	('au-southeast', 'other'),     -- Victoria
	('nz-north',     'other'),     -- New Zealand
	('me-central',   'other'),     -- Emirates, Qatar, Saudi Arabia
	('me-south',     'other'),     -- Bahrain
	('il-central',   'other'),     -- Israel
	('af-south',     'other'),     -- South Africa
	-- may run anywhere: nothing is known of it, and the engine takes it so
	('global',       'global')
ON CONFLICT DO NOTHING;

-- The names that the clouds give their regions.  Only what the lists name:
--   aws    docs.aws.amazon.com/global-infrastructure/latest/regions
--   azure  learn.microsoft.com/azure/reliability/regions-list
--   gcp    cloud.google.com/compute/docs/regions-zones
-- A name that is not here is an unknown region.

INSERT INTO region_aliases (alias, region, source)
SELECT alias, region, 'AWS, list of Regions'
FROM (VALUES
	('us-east-1',               'us-east'),
	('us-east-2',               'us-east'),
	('us-west-1',               'us-west'),
	('us-west-2',               'us-west'),
	('us-gov-east-1',           'us-gov-east'),
	('us-gov-west-1',           'us-gov-west'),
	('ca-central-1',            'ca-central'),
	('ca-west-1',               'ca-west'),
	('mx-central-1',            'mx-central'),
	('sa-east-1',               'sa-east'),
	('eu-west-1',               'eu-west'),
	('eu-west-2',               'uk-south'),
	('eu-west-3',               'eu-west'),
	('eu-central-1',            'eu-central'),
	('eu-central-2',            'ch-north'),
	('eu-north-1',              'eu-north'),
	('eu-south-1',              'eu-south'),
	('eu-south-2',              'eu-south'),
	('ap-south-1',              'ap-south'),
	('ap-south-2',              'ap-south'),
	('ap-southeast-1',          'ap-southeast'),
	('ap-southeast-2',          'au-east'),
	('ap-southeast-3',          'ap-southeast'),
	('ap-southeast-4',          'au-southeast'),
	('ap-southeast-5',          'ap-southeast'),
	('ap-southeast-7',          'ap-southeast'),
	('ap-northeast-1',          'ap-northeast'),
	('ap-northeast-2',          'ap-northeast'),
	('ap-northeast-3',          'ap-northeast'),
	('ap-east-1',               'ap-east'),
	('ap-east-2',               'ap-east'),
	('cn-north-1',              'cn-north'),
	('cn-northwest-1',          'cn-northwest'),
	('me-south-1',              'me-south'),
	('me-central-1',            'me-central'),
	('il-central-1',            'il-central'),
	('af-south-1',              'af-south')
) v (alias, region)
ON CONFLICT DO NOTHING;

INSERT INTO region_aliases (alias, region, source)
SELECT alias, region, 'Azure, list of regions'
FROM (VALUES
	('eastus',                  'us-east'),
	('eastus2',                 'us-east'),
	('centralus',               'us-central'),
	('northcentralus',          'us-central'),
	('southcentralus',          'us-central'),
	('westcentralus',           'us-central'),
	('westus',                  'us-west'),
	('westus2',                 'us-west'),
	('westus3',                 'us-west'),
	('usgovvirginia',           'us-gov-east'),
	('usgovarizona',            'us-gov-west'),
	('canadacentral',           'ca-central'),
	('canadaeast',              'ca-central'),
	('mexicocentral',           'mx-central'),
	('brazilsouth',             'sa-east'),
	('brazilsoutheast',         'sa-east'),
	('northeurope',             'eu-west'),
	('westeurope',              'eu-west'),
	('francecentral',           'eu-west'),
	('francesouth',             'eu-west'),
	('germanywestcentral',      'eu-central'),
	('germanynorth',            'eu-central'),
	('polandcentral',           'eu-central'),
	('swedencentral',           'eu-north'),
	('italynorth',              'eu-south'),
	('spaincentral',            'eu-south'),
	('uksouth',                 'uk-south'),
	('ukwest',                  'uk-south'),
	('switzerlandnorth',        'ch-north'),
	('switzerlandwest',         'ch-north'),
	('norwayeast',              'no-east'),
	('norwaywest',              'no-east'),
	('centralindia',            'ap-south'),
	('southindia',              'ap-south'),
	('westindia',               'ap-south'),
	('jioindiawest',            'ap-south'),
	('jioindiacentral',         'ap-south'),
	('southeastasia',           'ap-southeast'),
	('indonesiacentral',        'ap-southeast'),
	('malaysiawest',            'ap-southeast'),
	('japaneast',               'ap-northeast'),
	('japanwest',               'ap-northeast'),
	('koreacentral',            'ap-northeast'),
	('koreasouth',              'ap-northeast'),
	('eastasia',                'ap-east'),
	('chinanorth',              'cn-north'),
	('chinanorth2',             'cn-north'),
	('chinanorth3',             'cn-north'),
	('chinaeast',               'cn-east'),
	('chinaeast2',              'cn-east'),
	('australiaeast',           'au-east'),
	('australiacentral',        'au-east'),
	('australiacentral2',       'au-east'),
	('australiasoutheast',      'au-southeast'),
	('newzealandnorth',         'nz-north'),
	('uaenorth',                'me-central'),
	('uaecentral',              'me-central'),
	('qatarcentral',            'me-central'),
	('israelcentral',           'il-central'),
	('southafricanorth',        'af-south'),
	('southafricawest',         'af-south')
) v (alias, region)
ON CONFLICT DO NOTHING;

INSERT INTO region_aliases (alias, region, source)
SELECT alias, region, 'Google Cloud, regions and zones'
FROM (VALUES
	('us-east1',                'us-east'),
	('us-east4',                'us-east'),
	('us-east5',                'us-east'),
	('us-central1',             'us-central'),
	('us-south1',               'us-central'),
	('us-west1',                'us-west'),
	('us-west2',                'us-west'),
	('us-west3',                'us-west'),
	('us-west4',                'us-west'),
	('northamerica-northeast1', 'ca-central'),
	('northamerica-northeast2', 'ca-central'),
	('northamerica-south1',     'mx-central'),
	('southamerica-east1',      'sa-east'),
	('southamerica-west1',      'sa-west'),
	('europe-west1',            'eu-west'),
	('europe-west2',            'uk-south'),
	('europe-west3',            'eu-central'),
	('europe-west4',            'eu-west'),
	('europe-west6',            'ch-north'),
	('europe-west8',            'eu-south'),
	('europe-west9',            'eu-west'),
	('europe-west10',           'eu-central'),
	('europe-west12',           'eu-south'),
	('europe-southwest1',       'eu-south'),
	('europe-central2',         'eu-central'),
	('europe-north1',           'eu-north'),
	('europe-north2',           'eu-north'),
	('asia-south1',             'ap-south'),
	('asia-south2',             'ap-south'),
	('asia-southeast1',         'ap-southeast'),
	('asia-southeast2',         'ap-southeast'),
	('asia-northeast1',         'ap-northeast'),
	('asia-northeast2',         'ap-northeast'),
	('asia-northeast3',         'ap-northeast'),
	('asia-east1',              'ap-east'),
	('asia-east2',              'ap-east'),
	('australia-southeast1',    'au-east'),
	('australia-southeast2',    'au-southeast'),
	('me-west1',                'il-central'),
	('me-central1',             'me-central'),
	('me-central2',             'me-central'),
	('africa-south1',           'af-south')
) v (alias, region)
ON CONFLICT DO NOTHING;

-- ---- vendors
--
-- A vendor is who gets the data.  So azure and bedrock are vendors of their
-- own whatever model they serve, and a name that leaves open who serves
-- (vertex_ai-anthropic_models, custom_openai) has no alias.

INSERT INTO vendor_aliases (alias, vendor_id, source) VALUES
	('gemini',                      'google',    'LiteLLM, provider name'),
	('vertex_ai',                   'google',    'LiteLLM, provider name'),
	('vertex_ai_beta',              'google',    'LiteLLM, provider name'),
	('vertex_ai-language-models',   'google',    'LiteLLM, provider name'),
	('vertex_ai-embedding-models',  'google',    'LiteLLM, provider name'),
	('vertex_ai-vision-models',     'google',    'LiteLLM, provider name'),
	('vertex_ai-image-models',      'google',    'LiteLLM, provider name'),
	('vertex_ai-text-models',       'google',    'LiteLLM, provider name'),
	('vertex_ai-chat-models',       'google',    'LiteLLM, provider name'),
	('vertex_ai-code-text-models',  'google',    'LiteLLM, provider name'),
	('vertex_ai-code-chat-models',  'google',    'LiteLLM, provider name'),
	('vertex-ai',                   'google',    'Portkey, provider name'),
	('google-vertex',               'google',    'Vercel AI SDK, provider name'),
	('google_genai',                'google',    'LangChain, provider name'),
	('google_vertexai',             'google',    'LangChain, provider name'),
	('google-ai-studio',            'google',    'Google, product name'),
	('text-completion-openai',      'openai',    'LiteLLM, provider name'),
	('anthropic_text',              'anthropic', 'LiteLLM, provider name'),
	('azure_ai',                    'azure',     'LiteLLM, provider name'),
	('azure_text',                  'azure',     'LiteLLM, provider name'),
	('azure-openai',                'azure',     'Portkey, provider name'),
	('azure_openai',                'azure',     'LangChain, provider name'),
	('bedrock_converse',            'bedrock',   'LiteLLM, provider name'),
	('amazon-bedrock',              'bedrock',   'Vercel AI SDK, provider name'),
	('codestral',                   'mistral',   'LiteLLM, provider name'),
	('text-completion-codestral',   'mistral',   'LiteLLM, provider name'),
	('mistralai',                   'mistral',   'OpenRouter, author name'),
	('cohere_chat',                 'cohere',    'LiteLLM, provider name'),
	('x-ai',                        'xai',       'OpenRouter, author name'),
	('moonshotai',                  'moonshot',  'OpenRouter, author name'),
	('zai',                         'zhipu',     'LiteLLM, provider name'),
	('z-ai',                        'zhipu',     'OpenRouter, author name'),
	('zhipuai',                     'zhipu',     'Zhipu, company name')
ON CONFLICT DO NOTHING;

-- ---- models
--
-- tier    1 small, 2 middle, 3 frontier, by family as the comments say; NULL:
--         not for general chat (image, audio, embedding, realtime, search,
--         research, a single task), so never a fallback and none is sought
--         for it.
-- active  may be a fallback.  false: tier NULL; past its deprecation date on
--         2026-11-23; served by the Responses API alone, where a gateway that
--         speaks chat completions cannot follow; or an agent that spends as it
--         likes.  A model that is not active may still be asked for.
-- context is the most input that it takes.
-- prices  dollars per million tokens.  A price of 0 for both in the map means
--         that nobody has entered one: NULL here, so that no model is ever
--         free by accident (for cached input alone likewise).  Beyond
--         tier_from input tokens all tokens cost the last two.
-- f       f function calling, v vision, r reasoning.
-- served  where it may run, in words of the list below.  '' is unknown.  Most
--         vendors' common endpoint may run anywhere, so `global` stands beside
--         the regions that a vendor promises on demand; a gateway that asks
--         for one names it in the request's `region`.

WITH served (word, regions) AS (VALUES
	('',         ARRAY[]::text[]),
	-- Anthropic: inference_geo "us" or "global", Opus 4.6 and later
	-- (platform.claude.com/docs/en/build-with-claude/data-residency).
	('us',       ARRAY['global', 'us-east', 'us-central', 'us-west']),
	-- OpenAI: data residency in the US and the EU, for the models that the
	-- map gives a regional_processing_uplift_multiplier; those cost a tenth
	-- more there (developers.openai.com/api/docs/guides/data-residency).
	-- Google: multi-regions us and eu of Vertex AI, Gemini 2.5
	-- (cloud.google.com/vertex-ai/generative-ai/docs/learn/data-residency).
	('us+eu',    ARRAY['global', 'us-east', 'us-central', 'us-west',
			   'eu-west', 'eu-central', 'eu-north', 'eu-south']),
	-- DeepSeek: processes and stores in mainland China (privacy policy).
	('cn',       ARRAY['cn']),
	-- Volcano Engine: the endpoint is ark.cn-beijing.volces.com.
	('cn-north', ARRAY['cn-north'])
), catalogue (model_id, vendor_id, tier, active, context, output,
	      input_price, output_price, cached_price,
	      tier_from, tier_input, tier_output, f, served, deprecated)
AS (VALUES
	-- Anthropic.  haiku small, sonnet middle, opus and what stands above it
	-- frontier.
	('claude-3-7-sonnet-20250219',                         'anthropic',     2, false,  200000,   64000,     3,    15,      0.3,   NULL, NULL, NULL, 'fvr', '',         '2026-02-19'),
	('claude-3-haiku-20240307',                            'anthropic',     1, true,   200000,    4096,  0.25,  1.25,     0.03,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('claude-3-opus-20240229',                             'anthropic',     3, false,  200000,    4096,    15,    75,      1.5,   NULL, NULL, NULL, 'fv',  '',         '2026-05-01'),
	('claude-4-opus-20250514',                             'anthropic',     3, true,   200000,   32000,    15,    75,      1.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-4-sonnet-20250514',                           'anthropic',     2, true,  1000000,   64000,     3,    15,      0.3, 200000,    6, 22.5, 'fvr', '',         NULL),
	('claude-fable-5',                                     'anthropic',     3, true,  1000000,  128000,    10,    50,        1,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-haiku-4-5',                                   'anthropic',     1, true,   200000,   64000,     1,     5,      0.1,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-haiku-4-5-20251001',                          'anthropic',     1, true,   200000,   64000,     1,     5,      0.1,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-mythos-5',                                    'anthropic',     3, true,  1000000,  128000,    10,    50,        1,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-4-1',                                    'anthropic',     3, true,   200000,   32000,    15,    75,      1.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-opus-4-1-20250805',                           'anthropic',     3, false,  200000,   32000,    15,    75,      1.5,   NULL, NULL, NULL, 'fvr', '',         '2026-08-05'),
	('claude-opus-4-20250514',                             'anthropic',     3, false,  200000,   32000,    15,    75,      1.5,   NULL, NULL, NULL, 'fvr', '',         '2026-05-14'),
	('claude-opus-4-5',                                    'anthropic',     3, true,   200000,   64000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-opus-4-5-20251101',                           'anthropic',     3, true,   200000,   64000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-opus-4-6',                                    'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-4-6-20260205',                           'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-4-6-thinking',                           'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('claude-opus-4-7',                                    'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-4-7-20260416',                           'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-4-8',                                    'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-opus-5',                                      'anthropic',     3, true,  1000000,  128000,     5,    25,      0.5,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-sonnet-4-20250514',                           'anthropic',     2, false, 1000000,   64000,     3,    15,      0.3, 200000,    6, 22.5, 'fvr', '',         '2026-05-14'),
	('claude-sonnet-4-5',                                  'anthropic',     2, true,   200000,   64000,     3,    15,      0.3, 200000,    6, 22.5, 'fvr', '',         NULL),
	('claude-sonnet-4-5-20250929',                         'anthropic',     2, true,   200000,   64000,     3,    15,      0.3, 200000,    6, 22.5, 'fvr', '',         NULL),
	('claude-sonnet-4-6',                                  'anthropic',     2, true,  1000000,   64000,     3,    15,      0.3,   NULL, NULL, NULL, 'fvr', 'us',       NULL),
	('claude-sonnet-5',                                    'anthropic',     2, true,  1000000,  128000,     2,    10,      0.2,   NULL, NULL, NULL, 'fvr', 'us',       NULL),

	-- Amazon Bedrock: Claude as Amazon serves it; tiers as Anthropic's.
	('claude-sonnet-4-5-20250929-v1:0',                    'bedrock',       2, true,   200000,   64000,     3,    15,      0.3, 200000,    6, 22.5, 'fvr', '',         NULL),

	-- DeepSeek.  v4-pro frontier, all else middle.
	('deepseek-chat',                                      'deepseek',      2, true,   131072,    8192,  0.28,  0.42,    0.028,   NULL, NULL, NULL, 'f',   'cn',       NULL),
	('deepseek-reasoner',                                  'deepseek',      2, true,   131072,   65536,  0.28,  0.42,    0.028,   NULL, NULL, NULL, 'r',   'cn',       NULL),
	('deepseek-v4-flash',                                  'deepseek',      2, true,  1000000,    8192,  0.14,  0.28,   0.0028,   NULL, NULL, NULL, 'f',   'cn',       NULL),
	('deepseek-v4-pro',                                    'deepseek',      3, true,  1000000,    8192, 0.435,  0.87, 0.003625,   NULL, NULL, NULL, 'f',   'cn',       NULL),

	-- Google.  flash-lite small, flash middle, pro frontier.
	('gemini-2.0-flash',                                   'google',        2, false, 1048576,    8192,   0.1,   0.4,    0.025,   NULL, NULL, NULL, 'fv',  '',         '2026-06-01'),
	('gemini-2.0-flash-001',                               'google',        2, false, 1048576,    8192,  0.15,   0.6,   0.0375,   NULL, NULL, NULL, 'fv',  '',         '2026-06-01'),
	('gemini-2.0-flash-exp-image-generation',              'google',     NULL, false,   32768,   32768,  NULL,  NULL,     NULL,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gemini-2.0-flash-lite',                              'google',        1, false, 1048576,    8192, 0.075,   0.3,  0.01875,   NULL, NULL, NULL, 'fv',  '',         '2026-06-01'),
	('gemini-2.0-flash-lite-001',                          'google',        1, false, 1048576,    8192, 0.075,   0.3,  0.01875,   NULL, NULL, NULL, 'fv',  '',         '2026-06-01'),
	('gemini-2.5-computer-use-preview-10-2025',            'google',     NULL, false,  128000,   64000,  1.25,    10,     NULL, 200000,  2.5,   15, 'fv',  '',         NULL),
	('gemini-2.5-flash',                                   'google',        2, true,  1048576,   65535,   0.3,   2.5,     0.03,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gemini-2.5-flash-image',                             'google',     NULL, false,   32768,   32768,   0.3,   2.5,     0.03,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gemini-2.5-flash-lite',                              'google',        1, true,  1048576,   65535,   0.1,   0.4,     0.01,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gemini-2.5-flash-lite-preview-06-17',                'google',        1, false, 1048576,   65535,   0.1,   0.4,    0.025,   NULL, NULL, NULL, 'fvr', '',         '2025-11-18'),
	('gemini-2.5-flash-lite-preview-09-2025',              'google',        1, true,  1048576,   65535,   0.1,   0.4,     0.01,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-2.5-flash-native-audio-latest',               'google',     NULL, false, 1048576,    8192,   0.3,   2.5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-2.5-flash-native-audio-preview-09-2025',      'google',     NULL, false, 1048576,    8192,   0.3,   2.5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-2.5-flash-native-audio-preview-12-2025',      'google',     NULL, false, 1048576,    8192,   0.3,   2.5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-2.5-flash-preview-09-2025',                   'google',        2, true,  1048576,   65535,   0.3,   2.5,    0.075,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-2.5-flash-preview-tts',                       'google',     NULL, false,    NULL,    NULL,   0.3,   2.5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-2.5-pro',                                     'google',        3, true,  1048576,   65535,  1.25,    10,    0.125, 200000,  2.5,   15, 'fvr', 'us+eu',    NULL),
	('gemini-2.5-pro-preview-tts',                         'google',     NULL, false, 1048576,   65535,  1.25,    10,    0.125, 200000,  2.5,   15, 'fv',  '',         NULL),
	('gemini-3-flash',                                     'google',        2, true,  1048576,   65535,   0.5,     3,     0.05,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3-flash-preview',                             'google',        2, true,  1048576,   65535,   0.5,     3,     0.05,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3-pro-image',                                 'google',     NULL, false,   65536,   32768,     2,    12,     NULL,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gemini-3-pro-image-preview',                         'google',     NULL, false,   65536,   32768,     2,    12,     NULL,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gemini-3-pro-preview',                               'google',        3, false, 1048576,   65535,     2,    12,      0.2, 200000,    4,   18, 'fvr', '',         '2026-03-26'),
	('gemini-3.1-flash-image',                             'google',     NULL, false,   65536,   32768,   0.5,     3,     NULL,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gemini-3.1-flash-image-preview',                     'google',     NULL, false,   65536,   32768,   0.5,     3,     NULL,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gemini-3.1-flash-lite',                              'google',        1, true,  1048576,   65536,  0.25,   1.5,    0.025,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3.1-flash-lite-preview',                      'google',        1, true,  1048576,   65536,  0.25,   1.5,    0.025,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3.1-flash-live-preview',                      'google',     NULL, false,  131072,   65536,  0.75,   4.5,     NULL,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gemini-3.1-pro-high',                                'google',        3, true,  1048576,   65536,     2,    12,      0.2, 200000,    4,   18, 'fvr', '',         NULL),
	('gemini-3.1-pro-low',                                 'google',        3, true,  1048576,   65536,     2,    12,      0.2, 200000,    4,   18, 'fvr', '',         NULL),
	('gemini-3.1-pro-preview',                             'google',        3, true,  1048576,   65536,     2,    12,      0.2, 200000,    4,   18, 'fvr', '',         NULL),
	('gemini-3.1-pro-preview-customtools',                 'google',        3, true,  1048576,   65536,     2,    12,      0.2, 200000,    4,   18, 'fvr', '',         NULL),
	('gemini-3.5-flash',                                   'google',        2, true,  1048576,   65535,   1.5,     9,     0.15,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3.5-flash-lite',                              'google',        1, true,  1048576,   65536,   0.3,   2.5,     0.03,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-3.6-flash',                                   'google',        2, true,  1048576,   65536,   1.5,   7.5,     0.15,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-embedding-001',                               'google',     NULL, false,    2048,    NULL,  0.15,     0,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-embedding-2',                                 'google',     NULL, false,    8192,    NULL,   0.2,     0,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-embedding-2-preview',                         'google',     NULL, false,    8192,    NULL,   0.2,     0,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-exp-1206',                                    'google',     NULL, false, 1048576,   65535,   0.3,   2.5,     0.03,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-flash-experimental',                          'google',     NULL, false, 1000000,    8192,  NULL,  NULL,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gemini-flash-latest',                                'google',        2, true,  1048576,   65535,   0.3,   2.5,     0.03,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-flash-lite-latest',                           'google',        1, true,  1048576,   65535,   0.1,   0.4,     0.01,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gemini-live-2.5-flash-preview-native-audio-09-2025', 'google',     NULL, false, 1048576,   65535,   0.3,     2,    0.075,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gemini-omni-flash-preview',                          'google',     NULL, false, 1048576,   65535,   1.5,     9,     NULL,   NULL, NULL, NULL, 'vr',  '',         NULL),
	('gemini-pro-latest',                                  'google',        3, true,  1048576,   65535,  1.25,    10,    0.125, 200000,  2.5,   15, 'fvr', '',         NULL),
	('gemini-robotics-er-1.5-preview',                     'google',     NULL, false, 1048576,   65535,   0.3,   2.5,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),

	-- MiniMax.  m2 middle.
	('minimax-m2.7',                                       'minimax',       2, true,   131072,  131072,   0.3,   1.2,     0.06,   NULL, NULL, NULL, 'fr',  '',         NULL),

	-- Moonshot.  kimi-k2 middle.
	('kimi-k2.5',                                          'moonshot',      2, true,   131072,  131072,   0.6,  2.25,      0.1,   NULL, NULL, NULL, 'fr',  '',         NULL),
	('kimi-k2.6',                                          'moonshot',      2, true,  1000000,  384000, 0.954, 3.961,    0.161,   NULL, NULL, NULL, 'fr',  '',         NULL),

	-- OpenAI.  mini, nano, luna and gpt-3.5 small; gpt-4, gpt-4o, gpt-4.1 and
	-- terra middle; gpt-5 and its successors, o1, o3 and every pro frontier.
	('codex-auto-review',                                  'openai',     NULL, false, 1050000,  128000,     5,    30,      0.5, 272000,   10,   45, 'fvr', '',         NULL),
	('gpt-3.5-turbo',                                      'openai',        1, true,    16385,    4096,   0.5,   1.5,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-3.5-turbo-0125',                                 'openai',        1, true,    16385,    4096,   0.5,   1.5,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-3.5-turbo-1106',                                 'openai',        1, false,   16385,    4096,     1,     2,     NULL,   NULL, NULL, NULL, 'f',   '',         '2026-09-28'),
	('gpt-3.5-turbo-16k',                                  'openai',        1, true,    16385,    4096,     3,     4,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-3.5-turbo-instruct',                             'openai',     NULL, false,    8192,    4096,   1.5,     2,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-3.5-turbo-instruct-0914',                        'openai',     NULL, false,    8192,    4097,   1.5,     2,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4',                                              'openai',        2, true,     8192,    4096,    30,    60,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4-0125-preview',                                 'openai',        2, false,  128000,    4096,    10,    30,     NULL,   NULL, NULL, NULL, 'f',   '',         '2026-03-26'),
	('gpt-4-0314',                                         'openai',        2, false,    8192,    4096,    30,    60,     NULL,   NULL, NULL, NULL, '',    '',         '2026-03-26'),
	('gpt-4-0613',                                         'openai',        2, false,    8192,    4096,    30,    60,     NULL,   NULL, NULL, NULL, 'f',   '',         '2025-06-06'),
	('gpt-4-1106-preview',                                 'openai',        2, false,  128000,    4096,    10,    30,     NULL,   NULL, NULL, NULL, 'f',   '',         '2026-03-26'),
	('gpt-4-turbo',                                        'openai',        2, true,   128000,    4096,    10,    30,     NULL,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4-turbo-2024-04-09',                             'openai',        2, true,   128000,    4096,    10,    30,     NULL,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4-turbo-preview',                                'openai',        2, true,   128000,    4096,    10,    30,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4.1',                                            'openai',        2, true,  1047576,   32768,     2,     8,      0.5,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4.1-2025-04-14',                                 'openai',        2, true,  1047576,   32768,     2,     8,      0.5,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4.1-mini',                                       'openai',        1, true,  1047576,   32768,   0.4,   1.6,      0.1,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4.1-mini-2025-04-14',                            'openai',        1, true,  1047576,   32768,   0.4,   1.6,      0.1,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4.1-nano',                                       'openai',        1, true,  1047576,   32768,   0.1,   0.4,    0.025,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4.1-nano-2025-04-14',                            'openai',        1, true,  1047576,   32768,   0.1,   0.4,    0.025,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o',                                             'openai',        2, true,   128000,   16384,   2.5,    10,     1.25,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-2024-05-13',                                  'openai',        2, true,   128000,    4096,     5,    15,     NULL,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-2024-08-06',                                  'openai',        2, true,   128000,   16384,   2.5,    10,     1.25,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-2024-11-20',                                  'openai',        2, true,   128000,   16384,   2.5,    10,     1.25,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-audio-preview',                               'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-audio-preview-2024-12-17',                    'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-audio-preview-2025-06-03',                    'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-mini',                                        'openai',        1, true,   128000,   16384,  0.15,   0.6,    0.075,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-mini-2024-07-18',                             'openai',        1, true,   128000,   16384,  0.15,   0.6,    0.075,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-mini-audio-preview',                          'openai',     NULL, false,  128000,   16384,  0.15,   0.6,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-mini-audio-preview-2024-12-17',               'openai',     NULL, false,  128000,   16384,  0.15,   0.6,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-mini-realtime-preview',                       'openai',     NULL, false,  128000,    4096,   0.6,   2.4,      0.3,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-mini-realtime-preview-2024-12-17',            'openai',     NULL, false,  128000,    4096,   0.6,   2.4,      0.3,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-mini-search-preview',                         'openai',     NULL, false,  128000,   16384,  0.15,   0.6,    0.075,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-mini-search-preview-2025-03-11',              'openai',     NULL, false,  128000,   16384,  0.15,   0.6,    0.075,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-mini-transcribe',                             'openai',     NULL, false,   16000,    2000,  1.25,     5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-mini-transcribe-2025-03-20',                  'openai',     NULL, false,   16000,    2000,  1.25,     5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-mini-transcribe-2025-12-15',                  'openai',     NULL, false,   16000,    2000,  1.25,     5,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-mini-tts',                                    'openai',     NULL, false,    NULL,    NULL,   2.5,    10,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-mini-tts-2025-03-20',                         'openai',     NULL, false,    NULL,    NULL,   2.5,    10,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-mini-tts-2025-12-15',                         'openai',     NULL, false,    NULL,    NULL,   2.5,    10,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-realtime-preview',                            'openai',     NULL, false,  128000,    4096,     5,    20,      2.5,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-realtime-preview-2024-12-17',                 'openai',     NULL, false,  128000,    4096,     5,    20,      2.5,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-realtime-preview-2025-06-03',                 'openai',     NULL, false,  128000,    4096,     5,    20,      2.5,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-4o-search-preview',                              'openai',     NULL, false,  128000,   16384,   2.5,    10,     1.25,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-search-preview-2025-03-11',                   'openai',     NULL, false,  128000,   16384,   2.5,    10,     1.25,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-4o-transcribe',                                  'openai',     NULL, false,   16000,    2000,   2.5,    10,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-4o-transcribe-diarize',                          'openai',     NULL, false,   16000,    2000,   2.5,    10,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-5',                                              'openai',        3, true,   272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-2025-08-07',                                   'openai',        3, true,   272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-chat',                                         'openai',        3, true,   128000,   16384,  1.25,    10,    0.125,   NULL, NULL, NULL, 'vr',  '',         NULL),
	('gpt-5-chat-latest',                                  'openai',        3, true,   128000,   16384,  1.25,    10,    0.125,   NULL, NULL, NULL, 'vr',  '',         NULL),
	('gpt-5-codex',                                        'openai',        3, false,  272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-mini',                                         'openai',        1, true,   272000,  128000,  0.25,     2,    0.025,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-mini-2025-08-07',                              'openai',        1, true,   272000,  128000,  0.25,     2,    0.025,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-nano',                                         'openai',        1, true,   272000,  128000,  0.05,   0.4,    0.005,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-nano-2025-08-07',                              'openai',        1, true,   272000,  128000,  0.05,   0.4,    0.005,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-pro',                                          'openai',        3, false,  400000,  128000,    15,   120,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-pro-2025-10-06',                               'openai',        3, false,  400000,  128000,    15,   120,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5-search-api',                                   'openai',     NULL, false,  272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-5-search-api-2025-10-14',                        'openai',     NULL, false,  272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('gpt-5.1',                                            'openai',        3, true,   272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.1-2025-11-13',                                 'openai',        3, true,   272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.1-chat-latest',                                'openai',        3, true,   128000,   16384,  1.25,    10,    0.125,   NULL, NULL, NULL, 'vr',  '',         NULL),
	('gpt-5.1-codex',                                      'openai',        3, false,  272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.1-codex-max',                                  'openai',        3, false,  272000,  128000,  1.25,    10,    0.125,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.1-codex-mini',                                 'openai',        1, false,  272000,  128000,  0.25,     2,    0.025,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2',                                            'openai',        3, true,   272000,  128000,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2-2025-12-11',                                 'openai',        3, true,   272000,  128000,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2-chat-latest',                                'openai',        3, true,   128000,   16384,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2-codex',                                      'openai',        3, false,  272000,  128000,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2-pro',                                        'openai',        3, false,  272000,  128000,    21,   168,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.2-pro-2025-12-11',                             'openai',        3, false,  272000,  128000,    21,   168,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.3-chat-latest',                                'openai',        3, true,   128000,   16384,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.3-codex',                                      'openai',        3, false,  272000,  128000,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.3-codex-spark',                                'openai',        3, false,  272000,  128000,  1.75,    14,    0.175,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('gpt-5.4',                                            'openai',        3, true,  1050000,  128000,   2.5,    15,     0.25, 272000,    5, 22.5, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-2026-03-05',                                 'openai',        3, true,  1050000,  128000,   2.5,    15,     0.25, 272000,    5, 22.5, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-mini',                                       'openai',        1, true,   400000,  128000,  0.75,   4.5,    0.075,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-mini-2026-03-17',                            'openai',        1, true,  1050000,  128000,  0.75,   4.5,    0.075,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-nano',                                       'openai',        1, true,   400000,  128000,   0.2,  1.25,     0.02,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-nano-2026-03-17',                            'openai',        1, true,  1050000,  128000,   0.2,  1.25,     0.02,   NULL, NULL, NULL, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-pro',                                        'openai',        3, false, 1050000,  128000,    30,   180,        3, 272000,   60,  270, 'fvr', 'us+eu',    NULL),
	('gpt-5.4-pro-2026-03-05',                             'openai',        3, false, 1050000,  128000,    30,   180,        3, 272000,   60,  270, 'fvr', 'us+eu',    NULL),
	('gpt-5.5',                                            'openai',        3, true,  1050000,  128000,     5,    30,      0.5, 272000,   10,   45, 'fvr', 'us+eu',    NULL),
	('gpt-5.5-2026-04-23',                                 'openai',        3, true,  1050000,  128000,     5,    30,      0.5, 272000,   10,   45, 'fvr', 'us+eu',    NULL),
	('gpt-5.5-pro',                                        'openai',        3, false, 1050000,  128000,    30,   180,        3, 272000,   60,  270, 'fvr', 'us+eu',    NULL),
	('gpt-5.5-pro-2026-04-23',                             'openai',        3, false, 1050000,  128000,    30,   180,        3, 272000,   60,  270, 'fvr', 'us+eu',    NULL),
	('gpt-5.6',                                            'openai',        3, true,  1050000,  128000,     5,    30,      0.5, 272000,   10,   45, 'fvr', 'us+eu',    NULL),
	('gpt-5.6-luna',                                       'openai',        1, true,   400000,  128000,     1,     6,      0.1, 272000,    2,    9, 'fvr', 'us+eu',    NULL),
	('gpt-5.6-sol',                                        'openai',        3, true,   400000,  128000,     5,    30,      0.5, 272000,   10,   45, 'fvr', 'us+eu',    NULL),
	('gpt-5.6-terra',                                      'openai',        2, true,   400000,  128000,   2.5,    15,     0.25, 272000,    5, 22.5, 'fvr', 'us+eu',    NULL),
	('gpt-audio',                                          'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-audio-1.5',                                      'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-audio-2025-08-28',                               'openai',     NULL, false,  128000,   16384,   2.5,    10,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-audio-mini',                                     'openai',     NULL, false,  128000,   16384,   0.6,   2.4,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-audio-mini-2025-10-06',                          'openai',     NULL, false,  128000,   16384,   0.6,   2.4,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-audio-mini-2025-12-15',                          'openai',     NULL, false,  128000,   16384,   0.6,   2.4,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-image-1',                                        'openai',     NULL, false,    NULL,    NULL,     5,  NULL,     1.25,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-image-1-mini',                                   'openai',     NULL, false,    NULL,    NULL,     2,  NULL,      0.2,   NULL, NULL, NULL, '',    '',         NULL),
	('gpt-image-1.5',                                      'openai',     NULL, false,    NULL,    NULL,     5,    10,     1.25,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gpt-image-1.5-2025-12-16',                           'openai',     NULL, false,    NULL,    NULL,     5,    10,     1.25,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gpt-image-2',                                        'openai',     NULL, false,    NULL,    NULL,     5,    10,     1.25,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gpt-image-2-2026-04-21',                             'openai',     NULL, false,    NULL,    NULL,     5,    10,     1.25,   NULL, NULL, NULL, 'v',   '',         NULL),
	('gpt-realtime',                                       'openai',     NULL, false,   32000,    4096,     4,    16,      0.4,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-1.5',                                   'openai',     NULL, false,   32000,    4096,     4,    16,      0.4,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-2',                                     'openai',     NULL, false,   32000,    4096,     4,    16,      0.4,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-2.1',                                   'openai',     NULL, false,  128000,   32000,     4,    24,      0.4,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-2.1-mini',                              'openai',     NULL, false,  128000,    4096,   0.6,   2.4,     0.06,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-2025-08-28',                            'openai',     NULL, false,   32000,    4096,     4,    16,      0.4,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-mini',                                  'openai',     NULL, false,  128000,    4096,   0.6,   2.4,     NULL,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-mini-2025-10-06',                       'openai',     NULL, false,  128000,    4096,   0.6,   2.4,     0.06,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-mini-2025-12-15',                       'openai',     NULL, false,  128000,    4096,   0.6,   2.4,     0.06,   NULL, NULL, NULL, 'f',   '',         NULL),
	('gpt-realtime-whisper',                               'openai',     NULL, false,    NULL,    NULL,  NULL,  NULL,     NULL,   NULL, NULL, NULL, '',    '',         NULL),
	('o1-2024-12-17',                                      'openai',        3, true,   200000,  100000,    15,    60,      7.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o1-pro',                                             'openai',        3, false,  200000,  100000,   150,   600,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o1-pro-2025-03-19',                                  'openai',        3, false,  200000,  100000,   150,   600,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o3',                                                 'openai',        3, true,   200000,  100000,     2,     8,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o3-2025-04-16',                                      'openai',        3, true,   200000,  100000,     2,     8,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o3-deep-research',                                   'openai',     NULL, false,  200000,  100000,    10,    40,      2.5,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('o3-deep-research-2025-06-26',                        'openai',     NULL, false,  200000,  100000,    10,    40,      2.5,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('o3-mini',                                            'openai',        1, true,   200000,  100000,   1.1,   4.4,     0.55,   NULL, NULL, NULL, 'fr',  '',         NULL),
	('o3-mini-2025-01-31',                                 'openai',        1, true,   200000,  100000,   1.1,   4.4,     0.55,   NULL, NULL, NULL, 'fr',  '',         NULL),
	('o3-pro',                                             'openai',        3, false,  200000,  100000,    20,    80,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o3-pro-2025-06-10',                                  'openai',        3, false,  200000,  100000,    20,    80,     NULL,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o4-mini',                                            'openai',        1, true,   200000,  100000,   1.1,   4.4,    0.275,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o4-mini-2025-04-16',                                 'openai',        1, true,   200000,  100000,   1.1,   4.4,    0.275,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('o4-mini-deep-research',                              'openai',     NULL, false,  200000,  100000,     2,     8,      0.5,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('o4-mini-deep-research-2025-06-26',                   'openai',     NULL, false,  200000,  100000,     2,     8,      0.5,   NULL, NULL, NULL, 'fv',  '',         NULL),

	-- Volcano Engine: DeepSeek as ByteDance serves it.
	('deepseek-v3-2-251201',                               'volcengine',    2, true,    98304,   32768,  NULL,  NULL,     NULL,   NULL, NULL, NULL, 'fr',  'cn-north', NULL),

	-- xAI.  grok-4 frontier, grok-build middle.
	('grok-4.20-0309-non-reasoning',                       'xai',           3, true,  1000000, 1000000,  1.25,   2.5,      0.2,   NULL, NULL, NULL, 'fv',  '',         NULL),
	('grok-4.20-0309-reasoning',                           'xai',           3, true,  1000000, 1000000,  1.25,   2.5,      0.2,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('grok-4.20-multi-agent-0309',                         'xai',           3, false, 1000000, 1000000,  1.25,   2.5,      0.2,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('grok-4.3',                                           'xai',           3, true,  1000000, 1000000,  1.25,   2.5,      0.2,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('grok-4.5',                                           'xai',           3, true,   500000,  500000,     2,     6,      0.5,   NULL, NULL, NULL, 'fvr', '',         NULL),
	('grok-build-0.1',                                     'xai',           2, true,   256000,  256000,     1,     2,      0.2,   NULL, NULL, NULL, 'fvr', '',         NULL),

	-- Zhipu (Z.ai).  glm-5 middle.
	('glm-5.1',                                            'zhipu',         2, true,    81920,   81920,   1.4,   4.4,     0.28,   NULL, NULL, NULL, 'fr',  '',         NULL)
)
INSERT INTO models (model_id, vendor_id, capability_tier, active,
		    context_tokens, max_output_tokens,
		    input_price_per_mil_tokens, output_price_per_mil_tokens,
		    cached_input_price_per_mil_tokens, tier_from_tokens,
		    tier_input_price_per_mil_tokens,
		    tier_output_price_per_mil_tokens,
		    features, regions, deprecation_date, source)
SELECT model_id, vendor_id, tier, active, context, output, input_price,
       output_price, cached_price, tier_from, tier_input, tier_output,
       array_remove(ARRAY[
		CASE WHEN f LIKE '%f%' THEN 'function_calling' END,
		CASE WHEN f LIKE '%v%' THEN 'vision' END,
		CASE WHEN f LIKE '%r%' THEN 'reasoning' END], NULL),
       served.regions, deprecated::date, 'LiteLLM price map, November 2026'
FROM catalogue JOIN served ON served.word = catalogue.served
ON CONFLICT DO NOTHING;
