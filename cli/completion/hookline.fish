# SPDX-License-Identifier: MIT
# Fish completion of hookline(1). Reads commands and options from the --help of the installed
# hookline, so that it always matches that version.

# Succeeds if the command line has this command; without one, if it has none yet.
function __hookline_has_command
    set -l words (commandline -opc)
    test "$words[2]" = "$argv"
end

# Prints the value that is typed, without its option.
function __hookline_value
    string replace -r '^-(-[^=]*=|[^-])' '' -- (commandline -ct)
end

# Prints the places of a secret.
function __hookline_secrets
    switch (__hookline_value)
        case '@*'
            __hookline_at_files
        case 'env:*'
            string replace -r '^' env: (set -nx)
        case '*'
            printf '%s\n' @\tfile env:\tvariable credential:\tcredential
    end
end

# Prints @ with a file, if an @ is typed.
function __hookline_at_files
    set -l file (string replace -rf '^@' '' -- (__hookline_value))
    and string replace -r '^' @ -- (__fish_complete_path $file)
end

function __hookline_sinks
    set -l file (string replace -rf '^unix:' '' -- (__hookline_value))
    and string replace -r '^' unix: -- (__fish_complete_path $file)
    or printf '%s\n' unix: http://127.0.0.1:
end

# Prints the first word of each line, with the next column as its description.
function __hookline_list
    string replace -rf '^([a-z][a-z0-9-]*)\S* +(.*?)(  .*)?$' '$1\t$2' -- $argv
end

function __hookline_schemes
    __hookline_list (hookline schemes 2>/dev/null)
end

# Prints the faults, after those that are typed.
function __hookline_faults
    set -l typed (string match -r '.*,' -- (__hookline_value))
    string replace -r '^' "$typed" -- (__hookline_list (hookline send --fault-help 2>/dev/null))
end

# __hookline_option COMMAND LETTER NAME KIND TEXT: adds an option; KIND is the placeholder of its
# value, such as FILE, and empty for a flag.
function __hookline_option
    set -l values
    switch $argv[4],$argv[3]
        case ',*'
        case 'FILE,*'
            set values -rF
        case 'FOLDER,*'
            set values -xa '(__fish_complete_directories)'
        case 'WHERE,*'
            set values -xa '(__hookline_secrets)'
        case 'TEXT|@FILE,*'
            set values -xa '(__hookline_at_files)'
        case NAME,scheme
            set values -xa '(__hookline_schemes)'
        case 'WORDS,*'
            set values -xa '(__hookline_faults)'
        case ADDRESS,sink
            set values -xa '(__hookline_sinks)'
        case '*'
            set values -x
    end
    test -n "$argv[2]"
    and set -a values -s $argv[2]
    complete -c hookline -n "__hookline_has_command $argv[1]" -l $argv[3] -d $argv[5] $values
end

# Adds the options of a command and the values of its first argument.
function __hookline_add_command
    set -l help (hookline $argv --help 2>/dev/null)
    set -l option # letter, name, kind, text
    for line in $help[2..] ''
        if string match -rq '^  (-(?<letter>.),|   ) --(?<name>[a-z0-9-]+)( (?<kind>\S.*?))?(  +(?<text>\S.*))?$' -- $line
            set -q option[1]
            and __hookline_option $argv $option
            set option "$letter" $name "$kind" "$text"
        else if set -q option[1]
            test -n "$line"
            or break
            set option[4] (string trim "$option[4] "(string trim $line))
        end
    end
    __hookline_option $argv $option
    set -l argument (string replace -r '.*\[OPTION\]\.\.\. ?(\S*).*' '$1' -- $help[1])
    switch "$argument"
        case '*|*'
            complete -c hookline -n "__hookline_has_command $argv" -a (string replace -a '|' ' ' -- $argument)
        case check
            complete -c hookline -n "__hookline_has_command $argv" -F -a check
        case '[NAME]'
            complete -c hookline -n "__hookline_has_command $argv" -a '(__hookline_schemes)'
    end
end

type -q hookline
or return

complete -c hookline -f
complete -c hookline -n __hookline_has_command -s h -l help -d 'show the commands'
complete -c hookline -n __hookline_has_command -s V -l version -d 'show the version'
for line in (hookline --help 2>/dev/null)
    if string match -rq '^  (?<name>[a-z]+) +(?<text>.*)' -- $line
        complete -c hookline -n __hookline_has_command -a $name -d $text
        __hookline_add_command $name
    end
end
