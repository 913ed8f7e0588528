/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/build.h"

#define SLACK_PV    (INT64_C(1) * 1024) /* LIBXL_PV_EXTRA_MEMORY */
#define SLACK_HVM   (INT64_C(2) * 1024) /* LIBXL_HVM_EXTRA_MEMORY */
#define VIDEO_HVM   (INT64_C(8) * 1024) /* of the usual emulated card */
#define STUB        (INT64_C(32) * 1024)
#define VCPUS_USUAL 16 /* few VMs have more; each costs 1 MiB, for as long as one is built */

struct build build_usual(struct kib memory, struct kib maxmem)
{
    return (struct build){.memory = memory,
                          .maxmem = maxmem,
                          .type = BUILD_HVM,
                          .vcpus = VCPUS_USUAL,
                          .video = kib(-1),
                          .shadow = kib(-1),
                          .passthrough = true};
}

static struct kib video_of(const struct build *build)
{
    if (build->video.v >= 0)
        return build->video;
    return kib(build->type == BUILD_HVM ? VIDEO_HVM : 0);
}

/* What libxl sets aside for the page tables of a guest that is not PV. It is not among the domain's
 * pages. */
static struct kib tables_of(int64_t vcpus, struct kib maxmem)
{
    return kib_add(kib_mib(vcpus), kib(maxmem.v / 1024 * 4));
}

static struct kib shadow_of(const struct build *build)
{
    return build->shadow.v >= 0 ? build->shadow : tables_of(build->vcpus, build->maxmem);
}

struct kib build_needs(const struct build *build)
{
    struct kib sum = kib_add(build->memory, video_of(build));

    sum = kib_add(sum, shadow_of(build));
    sum = kib_add(sum, kib(build->type == BUILD_PV ? SLACK_PV : SLACK_HVM));
    if (build->stub)
        sum = kib_add(sum, kib(STUB));
    if (build->passthrough) /* the IOMMU's tables */
        sum = kib_add(sum, kib(build->maxmem.v / 512 + 1024));
    return kib_ceil(sum, KIB_GRANULE);
}
