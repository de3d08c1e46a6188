# web: the web server of ./dev up, with the very files of apache-conf/ and
# lighttpd-conf/; then the verbs up, down, env and logs.  Sourced by ./dev.
# shellcheck shell=bash

SERVERS='apache apache-proxy lighttpd cgi'
HEALTH_SECONDS=30

verb_up()
{
	local server=apache began=$SECONDS
	while [ $# -gt 0 ]; do
		case $1 in
		--server)
			server=${2:-}
			shift 2 || true
			;;
		--server=*)
			server=${1#*=}
			shift
			;;
		*)
			die "up does not know $1" "./dev up [--server NAME]"
			;;
		esac
	done
	case " $SERVERS " in
	*" $server "*) ;;
	*) die "there is no server \"$server\"" "one of: $SERVERS" ;;
	esac
	headline "packages and build"
	packages_need "${PACKAGES_RUN[@]}"
	build_program
	headline "PostgreSQL, memcached, housekeeper"
	postgres_up
	memcached_up
	settings_write
	if engine_changed; then
		web_down
		stop housekeeper
		engine_sweep
	fi
	database_up
	keys_up
	keeper_up
	headline "web server: $server"
	web_up "$server"
	wait_until 15 counters_known ||
		note "nothing counts yet: ./dev logs housekeeper says why"
	headline "a first evaluation"
	first_evaluation
	up_summary "$server" $((SECONDS - began))
}

up_summary()
{
	printf '\n== up after %d s\n' "$2"
	note "dashboard    $(web_url)/dashboard/"
	note "evaluations  POST $(web_url)/evaluate.fcgi"
	note "server       $1 (others: ./dev up --server NAME; $SERVERS)"
	note "keys         eval \"\$($ROOT/dev env)\"; echo \"\$IMS_EVALUATOR_KEY\""
	note "logs         $ROOT/dev logs -f"
	note "stop         $ROOT/dev down"
}

verb_down()
{
	if [ "${1:-}" != "" ] && [ "$1" != --clean ]; then
		die "down does not know $1" "./dev down [--clean]"
	fi
	web_down
	stop housekeeper
	engine_sweep
	stop memcached
	postgres_down
	note "everything is stopped"
	if [ "${1:-}" = --clean ]; then
		rm -rf "$VAR"
		rm -f "${IMS_DEV_VAR:-$ROOT/var}" # where it was a link
		note "var/ is gone"
	else
		note "data stays in var/ (./dev down --clean removes it)"
	fi
}

verb_env()
{
	local role
	if [ ! -e "$VAR/run/web.port" ] || [ ! -e "$VAR/keys/admin" ]; then
		die "nothing has been set up yet" "./dev up"
	fi
	printf 'IMS_URL=%s\n' "$(quoted "$(web_url)")"
	for role in "${ROLES[@]}"; do
		printf 'IMS_%s_KEY=%s\n' "${role^^}" \
			"$(quoted "$(cat "$VAR/keys/$role")")"
	done
	printf 'IMS_PG=%s\n' "$(quoted "$(conninfo ims_dev_owner ims_policy)")"
	printf 'IMS_MEMCACHED=%s\n' \
		"$(quoted "127.0.0.1:$(cat "$VAR/run/memcached.port")")"
	printf 'IMS_STATE=%s\n' "$(quoted "$VAR/state")"
}

verb_logs()
{
	local files=("$VAR"/log/*.log)
	if [ "${1:-}" = -f ]; then
		exec tail -n 5 -F "${files[@]}"
	fi
	tail -n 15 "${files[@]}"
}

# ---- the web server

web_url()
{
	printf 'http://127.0.0.1:%s' "$(cat "$VAR/run/web.port")"
}

# web_up SERVER: nothing to do where it runs; another one is ended first.
web_up()
{
	local server=$1
	if running web && [ "$(cat "$VAR/run/web.server")" = "$server" ]; then
		note "runs already: $(web_url)"
	else
		web_down
		port web >/dev/null
		printf '%s\n' "$server" >"$VAR/run/web.server"
		rm -f "$VAR/log/web-error.log" # of another run
		web_start "$server"
	fi
	wait_until "$HEALTH_SECONDS" web_ready || {
		show_end "$VAR/log/web.log"
		show_end "$VAR/log/web-error.log"
		show_end "$VAR/log/housekeeper.log" 5
		die "$(web_url)/health/ready was not 200 within $HEALTH_SECONDS s" \
			"read the lines above, or ./dev logs"
	}
	if [ "$server" = apache ]; then
		wait_until 15 web_warm || note "the warm-up is not done yet"
	fi
	note "ready: $(web_url)/health/ready"
}

# Does anything count?  Some seconds after the first start, or a lost memcached.
counters_known()
{
	curl --silent --max-time 5 "$(web_url)/health/ready" |
		grep -qE '"counters":"(memcached|postgresql|host)"'
}

# Has the warm-up of mod_fcgid said that no request had to wait any more?
web_warm()
{
	grep -s 'warm-up: .*, 0 waited' "$VAR/log/web-error.log"
}

web_ready()
{
	curl --silent --show-error --fail --max-time 5 \
		"$(web_url)/health/ready"
}

# web_start SERVER: with the sample configurations as they are installed.
web_start()
{
	ENGINE_FOLDER=${ENGINE_FOLDER:-$PREFIX/libexec/ims-policy}
	case $1 in
	apache)
		web_start_apache ims-policy-fcgid.conf fcgid
		;;
	apache-proxy)
		responders_start
		web_start_apache ims-policy-proxy.conf proxy proxy_fcgi
		;;
	cgi)
		web_start_apache ims-policy-cgi.conf cgid
		;;
	lighttpd)
		web_start_lighttpd
		;;
	esac
}

web_down()
{
	stop web
	stop responder-evaluate
	stop responder-api
	# A dead Apache's pid may be somebody else's by now: it would not start.
	rm -f "$VAR"/run/*.sock "$VAR/run/httpd.pid"
}

# ---- Apache: a small configuration around the sample one, which is included
# as it is installed

web_start_apache()
{
	local sample=$1
	shift
	web_apache_conf "$sample" "$@" >"$VAR/run/httpd.conf"
	apache2 -t -f "$VAR/run/httpd.conf" >"$VAR/log/web.log" 2>&1 || {
		show_end "$VAR/log/web.log"
		die "Apache refuses its configuration, $VAR/run/httpd.conf" \
			"the line that it names is in there or in apache-conf/"
	}
	start web apache2 -f "$VAR/run/httpd.conf" -DFOREGROUND
}

# web_apache_conf SAMPLE MODULE...
web_apache_conf()
{
	local sample=$1 share=$PREFIX/share/ims-policy module
	shift
	cat <<-CONF
	# written by ./dev up
	ServerRoot "$VAR/run"
	ServerName 127.0.0.1
	Listen 127.0.0.1:$(cat "$VAR/run/web.port")
	PidFile "$VAR/run/httpd.pid"
	DefaultRuntimeDir "$VAR/run"
	Mutex file:$VAR/run default
	ErrorLog "$VAR/log/web-error.log"
	LogLevel warn
	CONF
	for module in mpm_event alias authz_core authz_host dir env headers \
		mime reqtimeout setenvif "$@"; do
		printf 'LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n' \
			"$module" "$module"
	done
	cat <<-CONF
	TypesConfig /etc/mime.types
	Define IMS_LIBEXEC $ENGINE_FOLDER
	Define IMS_CONFIG $VAR/ims-policy.conf
	Define IMS_APACHE_CONF $share/apache-conf
	Define IMS_WWW $share/www
	Define IMS_RUN $VAR/run
	Define IMS_SITE
	Define IMS_URL $(web_url)
	<IfModule fcgid_module>
		FcgidIPCDir "$VAR/run/fcgid"
		FcgidProcessTableFile "$VAR/run/fcgid.shm"
	</IfModule>
	<IfModule cgid_module>
		ScriptSock "$VAR/run/cgid.sock"
	</IfModule>
	Include "$share/apache-conf/$sample"
	CONF
}

# The two pools that mod_proxy_fcgi talks to, as systemd would start them.
responders_start()
{
	local pool
	for pool in evaluate api; do
		start "responder-$pool" "$ENGINE_FOLDER/ims-policy.fcgi" \
			--pool "$pool" --config "$VAR/ims-policy.conf" \
			--listen "$VAR/run/$pool.sock"
		wait_until 10 test -S "$VAR/run/$pool.sock" || {
			show_end "$VAR/log/responder-$pool.log"
			die "the $pool pool did not open its socket"
		}
	done
}

# ---- lighttpd, likewise

web_start_lighttpd()
{
	cat >"$VAR/run/lighttpd.conf" <<-CONF
	# written by ./dev up
	server.modules = ()
	server.document-root = "$VAR/run/empty"
	server.bind = "127.0.0.1"
	server.port = $(cat "$VAR/run/web.port")
	server.errorlog = "$VAR/log/web-error.log"
	server.pid-file = "$VAR/run/lighttpd.pid"
	var.ims_libexec = "$ENGINE_FOLDER"
	var.ims_config = "$VAR/ims-policy.conf"
	var.ims_run = "$VAR/run"
	var.ims_www = "$PREFIX/share/ims-policy/www"
	server.error-handler-404 = "/api/v1/not-found"
	include "$PREFIX/share/ims-policy/lighttpd-conf/ims-policy.conf"
	CONF
	mkdir -p "$VAR/run/empty"
	lighttpd -tt -f "$VAR/run/lighttpd.conf" >"$VAR/log/web.log" 2>&1 || {
		show_end "$VAR/log/web.log"
		die "lighttpd refuses its configuration, $VAR/run/lighttpd.conf" \
			"the line that it names is in there or in lighttpd-conf/"
	}
	start web lighttpd -D -f "$VAR/run/lighttpd.conf"
}

# ---- the first evaluation

first_evaluation()
{
	local answer=$VAR/run/first.json status request
	request='{"model_id":"gpt-4o-mini","user_id":"first-user",
 "correlation_id":"dev-up","max_output_tokens":200,
 "messages":[{"role":"user","content":"What does a policy engine decide?"}]}'
	status=$(curl --silent --show-error --max-time 10 -o "$answer" \
		-w '%{http_code}' -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $(cat "$VAR/keys/evaluator")" \
		--data "$request" "$(web_url)/evaluate.fcgi") || status=none
	printf '$ curl %s/evaluate.fcgi \\\n' "$(web_url)"
	printf '  -H "Authorization: Bearer $IMS_EVALUATOR_KEY" \\\n'
	printf '  -d %s\n' "$(quoted "$request")"
	printf '\nHTTP %s\n' "$status"
	jq . "$answer" 2>/dev/null || cat "$answer"
	if [ "$status" != 200 ]; then
		show_end "$VAR/log/web-error.log" 10
		die "the first evaluation was answered with $status, not 200" \
			"./dev logs; var/log/web-error.log says why"
	fi
}
