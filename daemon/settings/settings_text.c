/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/settings/settings_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/invariant.h"
#include "daemon/daemon.h"
#include "daemon/memory.h"
#include "daemon/methods/describe.h"
#include "daemon/methods/set_request.h"
#include "daemon/registry.h"
#include "daemon/settings/layers.h"

#define SECTION       "[vm "
#define TEXT_LINE_MAX 512

/* --- writing -----------------------------------------------------------------------------------
 */

static void write_vm(FILE *to, const char *name, const struct setting_partial *said)
{
    char text[64];

    fprintf(to, "\n" SECTION "%s]\n", name);
    for (unsigned key = 0; key < VM_KEY_COUNT; key++)
        if (setting_has(said, key))
            fprintf(to, "%s = %s\n", vm_setting_defs[key].name,
                    setting_format(&vm_setting_defs[key], said->value[key], text, sizeof(text)));
}

char *settings_text_write(const struct daemon *daemon)
{
    struct layer *base = layers_find(daemon->layers, LAYER_ID_BASE);
    const struct vm_entry **order;
    size_t count, length;
    char *text = NULL;
    FILE *to = open_memstream(&text, &length);

    invariant(to);
    fputs("# Settings of VMs, from xenmemctl export; xenmemctl import reads them again.\n", to);
    order = describe_order(daemon, &count);
    for (size_t i = 0; i < count; i++) {
        const struct setting_partial *said = layer_find_vm(base, order[i]->name);

        if (said && said->has)
            write_vm(to, order[i]->name, said);
    }
    free(order);
    invariant(fclose(to) == 0);
    return text;
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* Cuts blanks off at both ends. */
static char *trim(char *text)
{
    size_t length;

    text += strspn(text, " \t\r");
    for (length = strlen(text); length > 0 && strchr(" \t\r", text[length - 1]); length--)
        text[length - 1] = '\0';
    return text;
}

static int begin_vm(struct settings_text *out, char *line, struct err *err)
{
    size_t length = strlen(line);
    char *name = line + strlen(SECTION);

    if (strncmp(line, SECTION, strlen(SECTION)) != 0 || line[length - 1] != ']')
        return err_set(err, ERR_INVALID, "'%.60s' is no section; there is [vm NAME]", line);
    line[length - 1] = '\0';
    if (set_request_check_name(name, err))
        return -1;
    for (size_t i = 0; i < out->n_vms; i++)
        if (strcmp(out->vms[i].name, name) == 0)
            return err_set(err, ERR_INVALID, "[vm %s] is there twice", name);
    out->vms = memory_grow(out->vms, out->n_vms + 1, sizeof(*out->vms));
    out->vms[out->n_vms] = (struct settings_text_vm){0};
    snprintf(out->vms[out->n_vms].name, sizeof(out->vms[out->n_vms].name), "%s", name);
    out->n_vms++;
    return 0;
}

static int take_key(struct settings_text *out, char *line, struct err *err)
{
    char *equals = strchr(line, '=');
    struct setting_partial *said;
    int64_t value;
    int found;

    if (!equals)
        return err_set(err, ERR_INVALID, "'%.60s' is neither [vm NAME] nor KEY = VALUE", line);
    if (out->n_vms == 0)
        return err_set(err, ERR_INVALID, "'%.60s' is before any [vm NAME]", line);
    *equals = '\0';
    line = trim(line);
    said = &out->vms[out->n_vms - 1].said;
    found = setting_find(vm_setting_defs, VM_KEY_COUNT, line);
    if (found < 0 || strcmp(vm_setting_defs[found].name, line) != 0)
        return err_set(err, ERR_INVALID, "unknown key '%.60s'", line);
    if (setting_has(said, (unsigned)found))
        return err_set(err, ERR_INVALID, "%s is there twice", line);
    if (setting_parse(&vm_setting_defs[found], trim(equals + 1), &value, err))
        return -1;
    setting_put(said, (unsigned)found, value);
    return 0;
}

static int take_line(struct settings_text *out, char *line, struct err *err)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
        return 0;
    return line[0] == '[' ? begin_vm(out, line, err) : take_key(out, line, err);
}

static int read_lines(struct settings_text *out, const char *file, const char *text,
                      struct err *err)
{
    char line[TEXT_LINE_MAX];

    for (int64_t number = 1; *text; number++) {
        size_t length = strcspn(text, "\n");
        size_t n_vms = out->n_vms;

        if (length >= sizeof(line)) {
            err_set(err, ERR_INVALID, "longer than %d bytes", TEXT_LINE_MAX - 1);
            return err_wrap(err, "%s:%" PRId64, file, number);
        }
        memcpy(line, text, length);
        line[length] = '\0';
        if (take_line(out, line, err))
            return err_wrap(err, "%s:%" PRId64, file, number);
        if (out->n_vms > n_vms)
            out->vms[n_vms].line = number;
        text += length + (text[length] == '\n');
    }
    return 0;
}

/* The settings of a section must fit together, and with what other layers say. */
static int check_vm(const struct settings_text_vm *vm, struct daemon *daemon, struct err *err)
{
    struct vm_settings outcome;

    if (vm->said.has == 0)
        return err_set(err, ERR_INVALID, "[vm %s] says nothing", vm->name);
    if (registry_resolve_one(registry_find(daemon->registry, vm->name), vm->name, daemon->layers,
                             &vm->said, &outcome, err))
        return err_wrap(err, "%s", vm->name);
    return 0;
}

int settings_text_read(struct settings_text *out, struct daemon *daemon, const char *file,
                       const char *text, struct err *err)
{
    *out = (struct settings_text){0};
    if (read_lines(out, file, text, err))
        return -1;
    for (size_t i = 0; i < out->n_vms; i++)
        if (check_vm(&out->vms[i], daemon, err))
            return err_wrap(err, "%s:%" PRId64, file, out->vms[i].line);
    return 0;
}

void settings_text_fini(struct settings_text *text)
{
    free(text->vms);
    *text = (struct settings_text){0};
}
