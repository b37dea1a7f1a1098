#!/bin/bash
# A client of ampd in XML. It needs bash and nothing else.
#
#   bash calls-xml.sh HOST PORT TYPE NAME SECRET
#       logs in as TYPE (monitor, agent, administrator) and prints calls until one is hung up
#   bash calls-xml.sh HOST PORT TYPE NAME SECRET QueueInfo Queue=sales
#       prints the answer to a command, as it comes
set -eu

# message reads one: each is a line.
message() {
	until IFS= read -r line <&3 && [[ $line == '<'* ]]; do # not the greeting
		[ "$line" ] || exit 1 # ampd has closed the connection
	done
}

# get prints the value of an attribute of the message.
get() {
	[[ $line =~ \ $1=\"([^\"]*)\" ]] || return 0
	local value=${BASH_REMATCH[1]}
	value=${value//&lt;/<} value=${value//&gt;/>} value=${value//&quot;/\"}
	echo "${value//&amp;/"&"}"
}

# ask sends a command, whose headers are given as NAME=VALUE, and runs show for each
# message of its answer: one, or those of a list.
ask() {
	local text="<command action=\"$1\" ActionID=\"1\"" value
	for pair in "${@:2}"; do
		value=${pair#*=}
		value=${value//&/"&amp;"} value=${value//</"&lt;"} value=${value//\"/"&quot;"}
		text+=" ${pair%%=*}=\"$value\""
	done
	echo "$text />" >&3
	while message; do
		[ "$(get ActionID)" = 1 ] || continue # an event
		$show
		case $(get EventList) in
		start) ;;
		Complete | Cancelled) return ;;
		*) [[ $line == '<event'* ]] || return 0 ;;
		esac
	done
}

all() { echo "$line"; }

exec 3<>"/dev/tcp/$1/$2"
show='get Message' ask login "username=$4" "secret=$5" "type=$3" format=xml
[ "$(get response)" = Success ]
if [ $# -gt 5 ]; then
	show=all ask "${@:6}"
	exit
fi
while message; do
	case $(get event) in Newchannel | Hangup) echo "$(get event) $(get Channel)" ;; esac
	[ "$(get event)" != Hangup ] || exit 0
done
