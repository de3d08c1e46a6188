-- policy_registry: the whole schema with plain psql.
--
--	psql -d DATABASE -f policy_registry.sql
--
-- Applies the migrations that the database does not have yet, each in one
-- transaction, and records them exactly as `ims-policyctl migrate` does, so
-- that both may be used on one database in any order.  Run it as the role
-- that 001_roles.sql asks for.
--
-- psql cannot find a file beside this one to hash it, so the hashes stand
-- here: sha256 of the file's bytes without the newlines at its end,
--	printf %s "$(cat 001_roles.sql)" | sha256sum
-- A migration is never edited once released; tests/style/migrations.sh holds
-- the hashes against the files.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

-- The lock of ims-policyctl migrate; ends with the connection.
SELECT pg_advisory_lock(hashtextextended('ims-policy migrations', 0)) \g /dev/null

\echo 001_roles.sql
SELECT to_regclass('public.schema_migrations') IS NULL AS pending \gset
\if :pending
BEGIN;
\ir 001_roles.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(1, '001_roles.sql',
	 '96990ee4f7b8cefeed2d2846a291c247d0fd5d868af5bb4a2eb2955738eedaf5');
COMMIT;
\endif

\echo 002_policies.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 2) AS pending \gset
\if :pending
BEGIN;
\ir 002_policies.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(2, '002_policies.sql',
	 '0f512cd07d75c099a112af130a25f4da6fe47e3ab0a2eb92e6dac9f13614dc3a');
COMMIT;
\endif

\echo 003_catalogue.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 3) AS pending \gset
\if :pending
BEGIN;
\ir 003_catalogue.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(3, '003_catalogue.sql',
	 'bded844c7b540a32e6b0dc258f38bf389d96fec59d1a22c54de71bbbd5254b88');
COMMIT;
\endif

\echo 004_api_keys.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 4) AS pending \gset
\if :pending
BEGIN;
\ir 004_api_keys.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(4, '004_api_keys.sql',
	 'b248de770398b8f83d5b31813d21b2fdceed498277ca80e6ad2db680815c0d98');
COMMIT;
\endif

\echo 005_records.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 5) AS pending \gset
\if :pending
BEGIN;
\ir 005_records.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(5, '005_records.sql',
	 '4d3420cea43172e40b58aa6e7d4bf237681e876054ebaff8b459abe7d055549f');
COMMIT;
\endif

\echo 006_partitions.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 6) AS pending \gset
\if :pending
BEGIN;
\ir 006_partitions.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(6, '006_partitions.sql',
	 '640bbbbfc930e1fe9b7b12cfd6dcae318cc6d40e02fe11f783f5eb4db8bf7c39');
COMMIT;
\endif

\echo 007_views.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 7) AS pending \gset
\if :pending
BEGIN;
\ir 007_views.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(7, '007_views.sql',
	 'ebca1076b8a95390773b257c02c18cf5033aa7810b17023138b3a10b9753f7b6');
COMMIT;
\endif

\echo 008_snapshot.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 8) AS pending \gset
\if :pending
BEGIN;
\ir 008_snapshot.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(8, '008_snapshot.sql',
	 '8976c32af83dc6669366c7d59c3139c279cf4ea2bb95a1da5c086a6bd4a4528d');
COMMIT;
\endif

\echo 009_usage.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 9) AS pending \gset
\if :pending
BEGIN;
\ir 009_usage.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(9, '009_usage.sql',
	 '660ab4ebe40b1e847f5e0050223a204b61b2a24892303fbcb30cb528a65e4aa9');
COMMIT;
\endif

\echo 010_counters.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 10) AS pending \gset
\if :pending
BEGIN;
\ir 010_counters.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(10, '010_counters.sql',
	 'd71f6b493faf2997106a06221163279bbd9aff450f04d475e6ac4f0caf256f03');
COMMIT;
\endif

\echo 011_usage_keep.sql
SELECT NOT EXISTS (SELECT FROM public.schema_migrations
		   WHERE version = 11) AS pending \gset
\if :pending
BEGIN;
\ir 011_usage_keep.sql
INSERT INTO schema_migrations (version, name, sha256) VALUES
	(11, '011_usage_keep.sql',
	 'd5b8664eaa1f8d3a4b707916ba3d8a1c06ca09fc4db6c45935eb62a558bb6acd');
COMMIT;
\endif
