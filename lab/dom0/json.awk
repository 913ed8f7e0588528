# SPDX-License-Identifier: GPL-2.0-or-later
# JSON into lines "PATH<tab>VALUE", such as "0.name	web1": enough for what xenmemctl prints. Objects
# and arrays nest; escapes in texts stay as they are.

# The path of the value that comes next.
function here(    i, path) {
    for (i = 1; i <= depth; i++)
        path = path (i > 1 ? "." : "") (kind[i] == "[" ? at[i] : key[i])
    return path
}

function value(text) {
    if (depth && kind[depth] == "{" && !named[depth]) {
        key[depth] = text
        named[depth] = 1
    } else
        print here() "\t" text
}

{ all = all $0 "\n" }

END {
    while (match(all, /^[ \t\r\n]*("([^"\\]|\\.)*"|[-+.0-9a-zA-Z]+|[][{},:])/)) {
        token = substr(all, 1, RLENGTH)
        all = substr(all, RLENGTH + 1)
        sub(/^[ \t\r\n]+/, "", token)
        if (token ~ /^[[{]$/) {
            kind[++depth] = token
            at[depth] = named[depth] = 0
        } else if (token ~ /^[]}]$/)
            depth--
        else if (token == ",") {
            at[depth]++
            named[depth] = 0
        } else if (token ~ /^"/)
            value(substr(token, 2, length(token) - 2))
        else if (token != ":")
            value(token)
    }
}
