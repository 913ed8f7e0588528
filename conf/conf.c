/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/invariant.h"

/* The parser splits lines; what it would cut or let pass in silence is refused before it sees it.
 */
struct reader {
    const char *file;
    FILE *stream;
    conf_fn *each;
    void *arg;
    struct err *err;
    int line;        /* of the file, from 1 */
    int failed_line; /* where err arose; 0: nowhere */
    bool wants_key;  /* the line that the parser has now must turn out to be one */
    char section[CONF_SECTION_MAX + 1]; /* that we are in */
    char **sections;                    /* seen so far */
    size_t n_sections;
    char *keys[CONF_KEYS_MAX]; /* of this section, seen so far */
    size_t n_keys;
};

/* Notes that err is filled, for this line. Returns −1. */
static int fail_here(struct reader *reader)
{
    reader->failed_line = reader->line;
    return -1;
}

static char *copy(const char *text)
{
    char *made = strdup(text);

    invariant(made);
    return made;
}

static void forget_keys(struct reader *reader)
{
    while (reader->n_keys > 0)
        free(reader->keys[--reader->n_keys]);
}

static int remember_section(struct reader *reader)
{
    for (size_t i = 0; i < reader->n_sections; i++)
        if (strcmp(reader->sections[i], reader->section) == 0)
            return err_set(reader->err, ERR_INVALID, "section [%s] is there twice",
                           reader->section);
    reader->sections =
        realloc(reader->sections, (reader->n_sections + 1) * sizeof(*reader->sections));
    invariant(reader->sections);
    reader->sections[reader->n_sections++] = copy(reader->section);
    forget_keys(reader);
    return 0;
}

/* The first bracket behind which there are only blanks and a comment: a pattern has brackets of its
 * own, "[vm web[12]]". NULL where there is none. */
static const char *section_end(const char *line)
{
    const char *end = line, *behind;

    while ((end = strchr(end + 1, ']'))) {
        behind = end + 1 + strspn(end + 1, " \t");
        if (*behind == '\0' || *behind == ';' || *behind == '#')
            break;
    }
    return end;
}

/* line is "[…". */
static int begin_section(struct reader *reader, const char *line)
{
    const char *end = section_end(line), *first = strchr(line, ']');
    size_t length = end ? (size_t)(end - line - 1) : 0;

    if (!first)
        return err_set(reader->err, ERR_INVALID, "'%.60s' has no ']'", line);
    if (!end)
        return err_set(reader->err, ERR_INVALID, "'%.60s' behind the section's ']'", first + 1);
    for (line++; length > 0 && isblank((unsigned char)*line); length--)
        line++;
    while (length > 0 && isblank((unsigned char)line[length - 1]))
        length--;
    if (length > CONF_SECTION_MAX)
        return err_set(reader->err, ERR_INVALID, "a section's name is longer than %d bytes",
                       CONF_SECTION_MAX);
    if (length == 0)
        return err_set(reader->err, ERR_INVALID, "a section without a name");
    memcpy(reader->section, line, length);
    reader->section[length] = '\0';
    if (remember_section(reader))
        return -1;
    return reader->each(reader->arg, reader->section, NULL, NULL, reader->line, reader->err);
}

static int check_line(struct reader *reader, const char *line, size_t length)
{
    if (length > CONF_LINE_MAX)
        return err_set(reader->err, ERR_INVALID, "the line is longer than %d bytes", CONF_LINE_MAX);
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t')
            return err_set(reader->err, ERR_INVALID, "byte %zu is a control character (%d)", i + 1,
                           line[i]);
    if (reader->line > CONF_LINES_MAX)
        return err_set(reader->err, ERR_INVALID, "more than %d lines", CONF_LINES_MAX);
    return 0;
}

/* The parser would take the first of these two for the separator. */
static int check_separator(struct reader *reader, const char *line)
{
    if (line[strcspn(line, "=:")] != ':')
        return 0;
    return err_set(reader->err, ERR_INVALID, "':' where '=' belongs: say 'key = value'");
}

/* Reads one line without its end; of one that is too long, as much as shows it. False at the end.
 */
static bool read_raw(FILE *stream, char raw[CONF_LINE_MAX + 2], size_t *length)
{
    int c = getc(stream);

    *length = 0;
    if (c == EOF)
        return false;
    while (c != EOF && c != '\n' && *length <= CONF_LINE_MAX) {
        raw[(*length)++] = (char)c;
        c = getc(stream);
    }
    if (*length > 0 && raw[*length - 1] == '\r')
        (*length)--;
    raw[*length] = '\0';
    return true;
}

/* Editors may begin a file with UTF-8's byte order mark. */
static const char *skip_mark(const char *raw, int line)
{
    return line == 1 && strncmp(raw, "\xef\xbb\xbf", 3) == 0 ? raw + 3 : raw;
}

/* The parser goes on after a line that it does not understand; we do not. */
static int check_last_line(struct reader *reader)
{
    if (!reader->wants_key)
        return 0;
    err_set(reader->err, ERR_INVALID, "neither '[section]' nor 'key = value'");
    return fail_here(reader);
}

/* The parser's fgets. NULL ends it: at the end of the file, and after the first failure. */
static char *next_line(char *buf, int room, void *arg)
{
    struct reader *reader = arg;
    char raw[CONF_LINE_MAX + 2];
    const char *line;
    size_t length;

    invariant(room > CONF_LINE_MAX + 1);
    if (reader->failed_line > 0 || check_last_line(reader) ||
        !read_raw(reader->stream, raw, &length))
        return NULL;
    reader->line++;
    /* Without its indentation no line is taken for the continuation of the one before. */
    line = skip_mark(raw, reader->line);
    line += strspn(line, " \t");
    reader->wants_key = strchr("[#;", *line) == NULL;
    if (check_line(reader, raw, length) || (*line == '[' && begin_section(reader, line)) ||
        (reader->wants_key && check_separator(reader, line))) {
        fail_here(reader);
        return NULL;
    }
    snprintf(buf, (size_t)room, "%s\n", line);
    return buf;
}

static int take_key(struct reader *reader, const char *key, const char *value)
{
    if (*key == '\0')
        return err_set(reader->err, ERR_INVALID, "a value without a key");
    for (size_t i = 0; i < reader->n_keys; i++)
        if (strcmp(reader->keys[i], key) == 0)
            return err_set(reader->err, ERR_INVALID, "'%s' is there twice in [%s]", key,
                           reader->section);
    if (reader->n_keys == CONF_KEYS_MAX)
        return err_set(reader->err, ERR_INVALID, "more than %d keys in [%s]", CONF_KEYS_MAX,
                       reader->section);
    reader->keys[reader->n_keys++] = copy(key);
    return reader->each(reader->arg, reader->section, key, value, reader->line, reader->err);
}

/* The parser's callback: 0 where it failed. Its own idea of the section may be cut; ours is not. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
    struct reader *reader = arg;

    (void)section;
    reader->wants_key = false;
    if (reader->failed_line > 0)
        return 0;
    return take_key(reader, key, value) ? fail_here(reader) + 1 : 1;
}

static int read_stream(struct reader *reader)
{
    (void)ini_parse_stream(next_line, reader, on_key, reader);
    if (ferror(reader->stream))
        return err_set_errno(reader->err, ERR_FAILED, errno, "%s", reader->file);
    if (reader->failed_line > 0)
        return err_wrap(reader->err, "%s:%d", reader->file, reader->failed_line);
    return 0;
}

static FILE *open_file(const char *file, struct err *err)
{
    FILE *stream = fopen(file, "re");
    struct stat what;

    if (!stream) {
        err_set_errno(err, errno == EACCES ? ERR_DENIED : ERR_INVALID, errno, "%s", file);
        return NULL;
    }
    if (fstat(fileno(stream), &what) == 0 && S_ISDIR(what.st_mode)) {
        err_set(err, ERR_INVALID, "%s: is a folder, not a file", file);
        fclose(stream);
        return NULL;
    }
    return stream;
}

static int read_and_close(const char *name, FILE *stream, conf_fn *each, void *arg, struct err *err)
{
    struct reader reader = {.file = name, .stream = stream, .each = each, .arg = arg, .err = err};
    int rc = read_stream(&reader);

    forget_keys(&reader);
    while (reader.n_sections > 0)
        free(reader.sections[--reader.n_sections]);
    free(reader.sections);
    fclose(stream);
    return rc;
}

int conf_read(const char *file, conf_fn *each, void *arg, struct err *err)
{
    struct err ignored;
    FILE *stream = open_file(file, err ? err : &ignored);

    return stream ? read_and_close(file, stream, each, arg, err ? err : &ignored) : -1;
}

int conf_read_text(const char *name, const char *text, size_t length, conf_fn *each, void *arg,
                   struct err *err)
{
    struct err ignored;
    FILE *stream;

    if (length == 0)
        return 0;
    stream = fmemopen((char *)text, length, "r");
    invariant(stream);
    return read_and_close(name, stream, each, arg, err ? err : &ignored);
}
