/* The state file of the stand-in NVML: what its lines mean, and reading it when it has changed.
 *
 * The file named by STAND_IN_NVML is looked at in every call, so a test that replaces it moves the meter live. Its lines are
 * `key value`. A line `gpu` starts the next device, a line `instance` a MIG instance of the device before it; lines ahead of
 * the first device are about the library:
 *     init CODE | count CODE | driver VERSION
 *     gpu | instance | name TEXT | uuid TEXT | pci TEXT | total N | reserved N | used N | free N | utilization N
 *     temperature N | power N | sm_clock N | memory_clock N | mig 0/1 (absent: the card knows no MIG) | slot N | gi N | ci N
 *     error CALL CODE           CALL: memory, memory_v2, utilization, temperature, power, clock, processes, name, uuid, pci,
 *                               mig, handle or all (all but handle)
 *     hang CALL                 the call returns only when a later state no longer says so; CALL may also be init
 *     compute PID BYTES [GI] | graphics PID BYTES [GI] BYTES of -1: the driver cannot tell; GI where it is not the unit's own
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_UNITS 96
#define MAX_PROCESSES 64
#define MAX_RULES 16
#define HANGS 0x10000
#define NO_PARENT (-1)

typedef unsigned long long u64;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } process_info;
typedef struct { char call[16]; int code; } rule;

/* A device, or an instance of one: then `parent` is that device's place in the list. */
typedef struct {
    int parent, number, mig;
    char name[96], uuid[96], pci[32];
    u64 total, reserved, used, free;
    unsigned utilization, temperature, power, sm_clock, memory_clock, slot, gi, ci;
    rule rules[MAX_RULES];
    int n_rules;
    process_info processes[2][MAX_PROCESSES];
    unsigned n_processes[2];
} unit;

typedef struct {
    int there, init, init_hangs, count, n_units, n_gpus;
    char driver[64];
    unit units[MAX_UNITS];
} state;

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static state now;
static struct stat seen;

static void add_rule(unit *to, const char *rest, int hangs) {
    if (to->n_rules >= MAX_RULES) return;
    rule *made = &to->rules[to->n_rules++];
    made->code = HANGS;
    if (hangs) sscanf(rest, "%15s", made->call);
    else sscanf(rest, "%15s %d", made->call, &made->code);
}

static void add_process(unit *to, const char *rest, int kind) {
    if (to->n_processes[kind] >= MAX_PROCESSES) return;
    process_info *made = &to->processes[kind][to->n_processes[kind]++];
    long long used = -1;
    made->gpu_instance = to->parent == NO_PARENT ? 0xFFFFFFFFu : to->gi;
    sscanf(rest, "%u %lld %u", &made->pid, &used, &made->gpu_instance);
    made->used = (u64)used;
    made->compute_instance = to->parent == NO_PARENT ? 0xFFFFFFFFu : to->ci;
}

static void read_unit_line(unit *to, const char *key, const char *rest) {
    u64 number = strtoull(rest, NULL, 10);
    struct { const char *key; u64 *wide; unsigned *plain; } numbers[] = {
        {"total", &to->total, NULL}, {"reserved", &to->reserved, NULL}, {"used", &to->used, NULL},
        {"free", &to->free, NULL}, {"utilization", NULL, &to->utilization}, {"temperature", NULL, &to->temperature},
        {"power", NULL, &to->power}, {"sm_clock", NULL, &to->sm_clock}, {"memory_clock", NULL, &to->memory_clock},
        {"slot", NULL, &to->slot}, {"gi", NULL, &to->gi}, {"ci", NULL, &to->ci},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(key, numbers[i].key)) continue;
        if (numbers[i].wide) *numbers[i].wide = number; else *numbers[i].plain = (unsigned)number;
        return;
    }
    if (!strcmp(key, "name")) snprintf(to->name, sizeof to->name, "%s", rest);
    else if (!strcmp(key, "uuid")) snprintf(to->uuid, sizeof to->uuid, "%s", rest);
    else if (!strcmp(key, "pci")) snprintf(to->pci, sizeof to->pci, "%s", rest);
    else if (!strcmp(key, "mig")) to->mig = (int)number;
    else if (!strcmp(key, "error")) add_rule(to, rest, 0);
    else if (!strcmp(key, "hang")) add_rule(to, rest, 1);
    else if (!strcmp(key, "compute")) add_process(to, rest, 0);
    else if (!strcmp(key, "graphics")) add_process(to, rest, 1);
}

static void start_unit(int parent) {
    if (now.n_units >= MAX_UNITS) return;
    unit *made = &now.units[now.n_units++];
    made->parent = parent;
    made->mig = -1;
    made->number = parent == NO_PARENT ? now.n_gpus++ : now.units[parent].number;
}

static void read_line(const char *key, const char *rest) {
    int last = now.n_units - 1;
    if (!strcmp(key, "gpu")) start_unit(NO_PARENT);
    else if (!strcmp(key, "instance") && last >= 0) {
        start_unit(now.units[last].parent == NO_PARENT ? last : now.units[last].parent);
    } else if (last >= 0) read_unit_line(&now.units[last], key, rest);
    else if (!strcmp(key, "init")) now.init = atoi(rest);
    else if (!strcmp(key, "count")) now.count = atoi(rest);
    else if (!strcmp(key, "hang")) now.init_hangs = 1;
    else if (!strcmp(key, "driver")) snprintf(now.driver, sizeof now.driver, "%s", rest);
}

/* Brings `now` up to date; the guard is held. Without a file there is no driver. */
static void look(void) {
    const char *path = getenv("STAND_IN_NVML");
    struct stat found;
    char line[256];
    if (!path || stat(path, &found)) {
        now.there = 0;
        memset(&seen, 0, sizeof seen);
        return;
    }
    if (found.st_ino == seen.st_ino && found.st_size == seen.st_size && found.st_dev == seen.st_dev &&
        !memcmp(&found.st_mtim, &seen.st_mtim, sizeof found.st_mtim)) return;
    FILE *file = fopen(path, "r");
    if (!file) { now.there = 0; return; }
    memset(&now, 0, sizeof now);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strchr(line, ' ');
        if (rest) *rest++ = 0; else rest = line + strlen(line);
        read_line(line, rest);
    }
    fclose(file);
    now.there = 1;
    seen = found;
}

/* Names the call in the file STAND_IN_NVML_LOG, so that a test can tell what was never asked. */
static void note(const char *call) {
    const char *path = getenv("STAND_IN_NVML_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s\n", call);
    fclose(file);
}

static void nap(void) {
    struct timespec little = {0, 2000000};
    nanosleep(&little, NULL);
}
