# Completion of termserv's commands for bash: commands, options in both spellings, live session IDs and terminal names.
#
# Commands and options come from `termserv help --completion`, sessions from the server, so that nothing here goes stale.
# Completing never starts a server.

# The termserv that belongs to the command on the line: build/bin/connect asks build/bin/termserv.
_termserv_program() {
    if [[ $1 == */* ]]; then
        printf '%s\n' "${1%/*}/termserv"
    else
        printf '%s\n' termserv
    fi
}

_termserv_server_runs() {
    local folder
    if [[ -n ${TERMSERV_RUNTIME_DIR-} ]]; then
        [[ -S $TERMSERV_RUNTIME_DIR/control ]]
        return
    fi
    for folder in /run/termserv "${XDG_RUNTIME_DIR:-/run/user/$UID}/termserv" "/run/user/$UID/termserv" "/run/termserv-user-$UID" \
        "$HOME/.cache/termserv/run-$HOSTNAME"; do
        [[ -S $folder/control ]] && return
    done
    return 1
}

# Values of the members whose names match $2, out of the answer of `query session --json`. Quotes inside a JSON text are
# escaped, so that no title or command can pass for a member.
_termserv_members() { # program names
    _termserv_server_runs || return
    "$1" query session --json 2>/dev/null |
        grep -oE "\"($2)\": ?(\"[A-Za-z0-9._#-]+\"|[0-9]+)" | sed -E 's/^[^:]*: ?"?([^"]*)"?$/\1/' | sort -u
}

_termserv_methods() { # program
    _termserv_server_runs || return
    "$1" call org.varlink.service.GetInterfaceDescription '{"interface":"io.termserv.Control"}' 2>/dev/null |
        grep -oE 'method [A-Za-z]+\(' | sed -E 's/method ([A-Za-z]+)\(/\1/'
}

# The options of a command, one a line: --dest= as in the table, or /dest: when that is how the word begins.
_termserv_options() { # table command word
    local options
    options=$(sed -n "s/^$2	\([^	]*\)	.*/\1/p" <<<"$1" | tr ' ' '\n')
    if [[ $3 == /* ]]; then
        sed -e 's/^--/\//' -e 's/=$/:/' <<<"$options"
    else
        printf '%s\n' "$options"
    fi
}

# What may stand behind an option, or nothing.
_termserv_value() { # program option
    case $2 in
    dest) _termserv_members "$1" name ;;
    runtime-dir) compgen -d ;;
    password) printf '%s\n' '*' ;;
    server) compgen -A hostname ;;
    esac
}

# What may stand as a plain argument.
_termserv_words() { # program table command
    case $3 in
    connect | tscon | disconn | tsdiscon | logoff | "reset session" | rwinsta) _termserv_members "$1" 'id|name' ;;
    "query session" | qwinsta | "query user" | quser) _termserv_members "$1" 'id|name|user' ;;
    "query audit" | "query permission") _termserv_members "$1" user ;;
    call) _termserv_methods "$1" ;;
    check-config) compgen -f ;;
    help) cut -f 1 <<<"$2" | cut -d ' ' -f 1 | sort -u ;;
    esac
}

# All that may stand at the last of the words of a command line, one a line.
_termserv_candidates() { # word...
    local program table command word=${*: -1} before="" last
    program=$(_termserv_program "$1")
    table=$("$program" help --completion 2>/dev/null) || return
    command=${1##*/}
    shift
    while [[ $command == termserv && $# -gt 1 && $1 == -* ]]; do
        [[ $1 == --runtime-dir && $# -gt 2 ]] && shift
        shift
    done
    if [[ $command == termserv && $# -gt 1 ]]; then
        command=$1
        shift
    fi
    if [[ $command =~ ^(query|reset)$ && $# -gt 1 ]]; then
        command="$command $1"
        shift
    fi
    if [[ $command == termserv ]]; then
        cut -f 1 <<<"$table" | cut -d ' ' -f 1 | sort -u
        return
    fi
    if [[ $command == query || $command == reset ]]; then
        sed -n "s/^$command \([a-z]*\)	.*/\1/p" <<<"$table"
        return
    fi
    for last in "${@:1:$#-1}"; do
        [[ $last == -- && $command == logon ]] && return
        before=$last
    done
    case $word in
    --*=* | /*:*)
        last=${word%%[:=]*}
        last=${last#--}
        last=${last#/}
        _termserv_value "$program" "${last,,}"
        ;;
    -* | /*) _termserv_options "$table" "$command" "$word" ;;
    *)
        last=${before#--}
        if [[ $before == --* && $'\n'$(_termserv_options "$table" "$command" --)$'\n' == *$'\n'"--$last="$'\n'* ]]; then
            _termserv_value "$program" "$last"
        else
            _termserv_words "$program" "$table" "$command"
        fi
        ;;
    esac
}

_termserv_complete() {
    local line=${COMP_LINE:0:COMP_POINT} words word candidate
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word=${words[-1]}
    # The shell breaks words at : and =, and replaces what follows the last of them.
    [[ $word == --*=* || $word == /*:* ]] && word=${word#*[:=]}
    COMPREPLY=()
    while IFS= read -r candidate; do
        if [[ $candidate == "$word"* ]]; then
            COMPREPLY+=("$candidate")
        fi
    done < <(_termserv_candidates "${words[@]}")
    if [[ ${#COMPREPLY[@]} -eq 0 && " ${words[*]} " == *" -- "* ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
    elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[:=] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}

complete -F _termserv_complete termserv connect tscon disconn tsdiscon logoff query qwinsta quser rwinsta
