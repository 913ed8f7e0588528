/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/xl_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"

#define MIB_MOST (INT64_C(1) << 30)

/* What a file of `xl save` begins with; its NULs are part of it. */
static const char saved_magic[32] = "Xen saved domain, xl format\n \0 \r";

/* A line in the making, and what it is worth. */
struct reading {
    struct xl_config *out;
    const char *path;
    int line;  /* of the file; 0: a word that followed it */
    int depth; /* of the lists that lines before this one began */
    int64_t maxvcpus;
};

static char *trim(char *text)
{
    size_t length;

    while (isspace((unsigned char)*text))
        text++;
    length = strlen(text);
    while (length > 0 && (isspace((unsigned char)text[length - 1]) || text[length - 1] == ';'))
        text[--length] = '\0';
    return text;
}

/* The first such character outside of quotes; NULL where there is none. */
static char *find_unquoted(char *text, char wanted)
{
    char quote = '\0';

    for (; *text; text++) {
        if (!quote && *text == wanted)
            return text;
        if (quote && *text == quote)
            quote = '\0';
        else if (!quote && (*text == '"' || *text == '\''))
            quote = *text;
    }
    return NULL;
}

static int count_unquoted(char *text, char wanted)
{
    int count = 0;

    while ((text = find_unquoted(text, wanted))) {
        count++;
        text++;
    }
    return count;
}

static void cut_comment(char *text)
{
    char *comment = find_unquoted(text, '#');

    if (comment)
        *comment = '\0';
}

static char *unquote(char *text)
{
    size_t length = strlen(text);

    if (length < 2 || (text[0] != '"' && text[0] != '\'') || text[length - 1] != text[0])
        return text;
    text[length - 1] = '\0';
    return text + 1;
}

static int not_understood(const struct reading *reading, const char *key, const char *value,
                          struct err *err)
{
    char place[16] = "";

    if (reading->line > 0)
        snprintf(place, sizeof(place), ":%d", reading->line);
    return err_set(err, ERR_INVALID,
                   "%s%s: %.40s = %.80s is not understood here: use `xenmemctl reserve` and `xl "
                   "create`",
                   reading->line > 0 ? reading->path : "what follows the file", place, key, value);
}

/* A line, or a word, as a whole. */
static int no_setting(const struct reading *reading, const char *text, struct err *err)
{
    if (reading->line == 0)
        return err_set(err, ERR_INVALID, "what follows the file: '%.80s' is not understood here",
                       text);
    return err_set(err, ERR_INVALID,
                   "%s:%d: '%.80s' is not understood here: use `xenmemctl reserve` and `xl create`",
                   reading->path, reading->line, text);
}

/* Decimal, as xl reads it: to xl, what begins with 0 is octal or hexadecimal. */
static int read_number(const struct reading *reading, const char *key, const char *value,
                       int64_t *out, struct err *err)
{
    if ((value[0] == '0' && value[1] != '\0') || integer_parse(value, 0, MIB_MOST, out, NULL))
        return not_understood(reading, key, value, err);
    return 0;
}

static int read_name(struct reading *reading, const char *value, struct err *err)
{
    if (value[0] == '\0' || strlen(value) >= sizeof(reading->out->name) ||
        strpbrk(value, "\"';[]{}+"))
        return not_understood(reading, "name", value, err);
    snprintf(reading->out->name, sizeof(reading->out->name), "%s", value);
    return 0;
}

static int read_type(struct reading *reading, const char *value, struct err *err)
{
    static const char *const types[] = {"pv", "pvh", "hvm"};

    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcmp(value, types[i]) == 0) {
            strcpy(reading->out->type, value);
            return 0;
        }
    return not_understood(reading, "type", value, err);
}

/* xl also takes "key += value", and several pairs on one line. */
static bool has_more(const char *key, char *value)
{
    size_t length = strlen(key);
    const char *rest = find_unquoted(value, ';');

    return (length > 0 && key[length - 1] == '+') || (rest && strchr(rest, '='));
}

static int read_pair(struct reading *reading, const char *key, char *value, struct err *err)
{
    struct xl_config *out = reading->out;
    const struct {
        const char *key;
        int64_t *to;
    } numbers[] = {{"memory", &out->memory_mib},     {"maxmem", &out->maxmem_mib},
                   {"vcpus", &out->vcpus},           {"maxvcpus", &reading->maxvcpus},
                   {"videoram", &out->videoram_mib}, {"shadow_memory", &out->shadow_mib}};

    if (has_more(key, value) && value[0] != '[')
        return not_understood(reading, key, value, err);
    value = unquote(value);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            return read_number(reading, key, value, numbers[i].to, err);
    if (strcmp(key, "name") == 0)
        return read_name(reading, value, err);
    if (strcmp(key, "type") == 0)
        return read_type(reading, value, err);
    if (strcmp(key, "builder") == 0) /* the former way to say it */
        strcpy(out->type, strcmp(value, "hvm") == 0 ? "hvm" : "pv");
    else if (strcmp(key, "pci") == 0 || strcmp(key, "passthrough") == 0 ||
             strcmp(key, "dtdev") == 0)
        out->passthrough = strcmp(value, "disabled") != 0;
    else if (strcmp(key, "device_model_stubdomain_override") == 0)
        out->has_stub = strcmp(value, "0") != 0;
    return 0;
}

/* A word as xl's keys are, and perhaps the '+' of "+=". */
static bool is_key(const char *text)
{
    const char *rest = text;

    while (isalnum((unsigned char)*rest) || *rest == '_')
        rest++;
    rest += strspn(rest, " \t");
    return isalpha((unsigned char)*text) && (*rest == '\0' || strcmp(rest, "+") == 0);
}

static int read_line(struct reading *reading, char *line, struct err *err)
{
    int depth = reading->depth;
    char *equals, *key;

    cut_comment(line);
    reading->depth += count_unquoted(line, '[') - count_unquoted(line, ']');
    key = trim(line);
    if (depth > 0 || key[0] == '\0')
        return 0; /* within a list, or blank */
    equals = strchr(key, '=');
    if (equals) {
        *equals = '\0';
        if (is_key(trim(key)))
            return read_pair(reading, key, trim(equals + 1), err);
        *equals = '=';
    } else if (reading->line == 0) {
        return 0; /* what an option of xl is given */
    }
    return no_setting(reading, key, err);
}

static int finish(struct reading *reading, struct err *err)
{
    struct xl_config *out = reading->out;

    if (out->name[0] == '\0')
        return err_set(err, ERR_INVALID, "%s: says no name", reading->path);
    if (out->memory_mib == 0)
        return err_set(err, ERR_INVALID, "%s: says no memory", reading->path);
    if (out->maxmem_mib == 0)
        out->maxmem_mib = out->memory_mib;
    if (out->maxmem_mib < out->memory_mib)
        return err_set(err, ERR_INVALID, "%s: maxmem is less than memory", reading->path);
    if (reading->maxvcpus > out->vcpus)
        out->vcpus = reading->maxvcpus;
    return 0;
}

static int read_lines(struct reading *reading, FILE *file, struct err *err)
{
    char line[4096];
    int rc = 0;

    while (rc == 0 && fgets(line, sizeof(line), file)) {
        reading->line++;
        if (!strchr(line, '\n') && !feof(file))
            rc = err_set(err, ERR_INVALID, "%s:%d: a line of more than %zu bytes", reading->path,
                         reading->line, sizeof(line) - 2);
        else
            rc = read_line(reading, line, err);
    }
    if (rc == 0 && ferror(file))
        rc = err_set_errno(err, ERR_INVALID, errno, "read %s", reading->path);
    return rc;
}

/* To xl, what follows the file and is no option is more of it. */
static int read_words(struct reading *reading, const char *const *words, size_t n_words,
                      struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n_words; i++) {
        char *line = strdup(words[i]);

        invariant(line);
        reading->line = reading->depth = 0;
        if (words[i][0] != '-')
            rc = read_line(reading, line, err);
        free(line);
    }
    return rc;
}

static int read_config(struct reading *reading, FILE *file, const char *const *words,
                       size_t n_words, struct err *err)
{
    if (read_lines(reading, file, err) || read_words(reading, words, n_words, err))
        return -1;
    return finish(reading, err);
}

static bool is_saved_guest(FILE *file)
{
    char magic[sizeof(saved_magic)];

    if (fread(magic, sizeof(magic), 1, file) == 1 && memcmp(magic, saved_magic, sizeof(magic)) == 0)
        return true;
    rewind(file);
    return false;
}

int xl_config_read(const char *path, const char *const *words, size_t n_words,
                   struct xl_config *out, struct err *err)
{
    struct reading reading = {.out = out, .path = path};
    FILE *file = fopen(path, "re");
    int rc;

    *out = (struct xl_config){.vcpus = 1, .videoram_mib = -1, .shadow_mib = -1, .type = "pv"};
    if (!file)
        return err_set_errno(err, ERR_INVALID, errno, "read %s", path);
    rc = is_saved_guest(file) ? xl_saved_read(file, path, out, err)
                              : read_config(&reading, file, words, n_words, err);
    (void)fclose(file);
    return rc;
}
