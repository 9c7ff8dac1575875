/* A stand-in for libnvidia-ml.so.1 that answers from a small text file (state.h), so that a meter can be tested without a
 * GPU. Structures and error numbers follow NVML's public ABI (nvml.h); nothing else of NVML is imitated.
 */
#include "state.h"

#define API __attribute__((visibility("default")))

enum {
    SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
    NOT_LOADED = 9, ARGUMENT_VERSION = 25
};

typedef struct { u64 total, free, used; } memory_v1;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } rates;
typedef struct {
    char legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} pci_info;

static int initialized;

/* A handle is a unit's place in the list plus one, so that it is never NULL. Copies the unit, so that a call that hangs
 * holds nobody else up. */
static int ask(void *handle, const char *call, unit *out) {
    note(call);
    for (;;) {
        size_t place = (size_t)handle - 1;
        int answer = SUCCESS;
        pthread_mutex_lock(&guard);
        look();
        if (!initialized) answer = UNINITIALIZED;
        else if (!now.there) answer = NOT_LOADED;
        else if (place >= (size_t)now.n_units) answer = INVALID_ARGUMENT;
        else *out = now.units[place];
        pthread_mutex_unlock(&guard);
        for (int i = 0; answer == SUCCESS && i < out->n_rules; i++) {
            const rule *here = &out->rules[i];
            int all = !strcmp(here->call, "all") && strcmp(call, "handle");
            if (all || !strcmp(here->call, call)) answer = here->code;
        }
        if (answer != HANGS) return answer;
        nap();
    }
}

#define WITH_UNIT(call) \
    unit self; \
    int failed = ask(handle, call, &self); \
    if (failed) return failed;

/* What the driver tells of whole cards only. */
#define WITH_CARD(call) \
    WITH_UNIT(call) \
    if (self.parent != NO_PARENT) return NOT_SUPPORTED;

static int copy_text(const char *text, char *out, unsigned length) {
    if (strlen(text) + 1 > length) return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return SUCCESS;
}

API int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    note("init");
    for (;;) {
        pthread_mutex_lock(&guard);
        look();
        int there = now.there, code = now.init, hangs = now.there && now.init_hangs;
        if (there && !hangs && code == SUCCESS) initialized++;
        pthread_mutex_unlock(&guard);
        if (!there) return NOT_LOADED;
        if (!hangs) return code;
        nap();
    }
}

API int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

API int nvmlShutdown(void) {
    note("shutdown");
    if (!initialized) return UNINITIALIZED;
    initialized--;
    return SUCCESS;
}

API const char *nvmlErrorString(int code) {
    switch (code) {
        case 3: return "Not Supported";
        case 4: return "Insufficient Permissions";
        case 9: return "Driver Not Loaded";
        case 15: return "GPU is lost";
        case 18: return "Driver/library version mismatch";
        default: return "Unknown Error";
    }
}

API int nvmlSystemGetDriverVersion(char *out, unsigned length) {
    pthread_mutex_lock(&guard);
    look();
    int answer = now.there ? copy_text(now.driver, out, length) : NOT_LOADED;
    pthread_mutex_unlock(&guard);
    return answer;
}

API int nvmlDeviceGetCount_v2(unsigned *count) {
    note("count");
    pthread_mutex_lock(&guard);
    look();
    int answer = !initialized ? UNINITIALIZED : !now.there ? NOT_LOADED : now.count;
    *count = (unsigned)now.n_gpus;
    pthread_mutex_unlock(&guard);
    return answer;
}

/* The place in the list of a card by its number, or of an instance by its card and slot; -1 for none. */
static int place_of(int parent, unsigned number) {
    int found = -1;
    pthread_mutex_lock(&guard);
    look();
    for (int i = 0; i < now.n_units; i++) {
        const unit *here = &now.units[i];
        unsigned own = parent == NO_PARENT ? (unsigned)here->number : here->slot;
        if (here->parent == parent && own == number) found = i;
    }
    pthread_mutex_unlock(&guard);
    return found;
}

API int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    int place = place_of(NO_PARENT, index);
    void *handle = (void *)((size_t)place + 1);
    if (place < 0) return INVALID_ARGUMENT;
    WITH_UNIT("handle")
    *out = handle;
    return SUCCESS;
}

API int nvmlDeviceGetName(void *handle, char *out, unsigned length) {
    WITH_UNIT("name")
    return copy_text(self.name, out, length);
}

API int nvmlDeviceGetUUID(void *handle, char *out, unsigned length) {
    WITH_UNIT("uuid")
    return copy_text(self.uuid, out, length);
}

API int nvmlDeviceGetPciInfo_v3(void *handle, pci_info *out) {
    WITH_CARD("pci")
    memset(out, 0, sizeof *out);
    out->device_id = 0x233010deu;
    if (*self.pci) sscanf(self.pci, "%x:%x:%x", &out->domain, &out->bus, &out->device);
    else out->bus = (unsigned)self.number + 1;
    snprintf(out->legacy, sizeof out->legacy, "%04X:%02X:%02X.0", out->domain & 0xFFFFu, out->bus & 0xFFu, out->device & 0x1Fu);
    snprintf(out->bus_id, sizeof out->bus_id, "%08X:%02X:%02X.0", out->domain, out->bus & 0xFFu, out->device & 0x1Fu);
    return SUCCESS;
}

API int nvmlDeviceGetMemoryInfo(void *handle, memory_v1 *out) {
    WITH_UNIT("memory")
    out->total = self.total;
    out->free = self.free;
    out->used = self.used + self.reserved;
    return SUCCESS;
}

API int nvmlDeviceGetMemoryInfo_v2(void *handle, memory_v2 *out) {
    if (out->version != (sizeof(memory_v2) | (2u << 24))) return ARGUMENT_VERSION;
    WITH_UNIT("memory_v2")
    failed = ask(handle, "memory", &self);
    if (failed) return failed;
    out->total = self.total;
    out->reserved = self.reserved;
    out->free = self.free;
    out->used = self.used;
    return SUCCESS;
}

API int nvmlDeviceGetUtilizationRates(void *handle, rates *out) {
    WITH_CARD("utilization")
    if (self.mig == 1) return NOT_SUPPORTED;
    out->gpu = self.utilization;
    out->memory = 0;
    return SUCCESS;
}

API int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *out) {
    (void)sensor;
    WITH_CARD("temperature")
    *out = self.temperature;
    return SUCCESS;
}

API int nvmlDeviceGetPowerUsage(void *handle, unsigned *out) {
    WITH_CARD("power")
    *out = self.power;
    return SUCCESS;
}

API int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *out) {
    WITH_CARD("power")
    *out = 700000;
    return SUCCESS;
}

/* Kinds of clock: 0 graphics, 1 SM, 2 memory. */
API int nvmlDeviceGetClockInfo(void *handle, int kind, unsigned *out) {
    WITH_CARD("clock")
    *out = kind == 2 ? self.memory_clock : self.sm_clock;
    return SUCCESS;
}

API int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    WITH_CARD("mig")
    if (self.mig < 0) return NOT_SUPPORTED;
    *current = *pending = (unsigned)self.mig;
    return SUCCESS;
}

API int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *count) {
    WITH_CARD("mig")
    *count = self.mig < 0 ? 0 : 7;
    return SUCCESS;
}

API int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **out) {
    WITH_CARD("mig")
    int place = place_of((int)((size_t)handle - 1), index);
    if (self.mig < 1 || place < 0) return NOT_FOUND;
    *out = (void *)((size_t)place + 1);
    return SUCCESS;
}

API int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(void *handle, void **out) {
    WITH_UNIT("handle")
    if (self.parent == NO_PARENT) return INVALID_ARGUMENT;
    *out = (void *)((size_t)self.parent + 1);
    return SUCCESS;
}

API int nvmlDeviceIsMigDeviceHandle(void *handle, unsigned *out) {
    WITH_UNIT("handle")
    *out = self.parent != NO_PARENT;
    return SUCCESS;
}

static int instance_id(void *handle, int compute, unsigned *out) {
    WITH_UNIT("instance")
    if (self.parent == NO_PARENT) return NOT_SUPPORTED;
    *out = compute ? self.ci : self.gi;
    return SUCCESS;
}

API int nvmlDeviceGetGpuInstanceId(void *handle, unsigned *out) { return instance_id(handle, 0, out); }

API int nvmlDeviceGetComputeInstanceId(void *handle, unsigned *out) { return instance_id(handle, 1, out); }

static int processes(void *handle, int kind, unsigned *count, process_info *out) {
    WITH_UNIT("processes")
    unsigned room = *count;
    *count = self.n_processes[kind];
    if (*count > room || (*count && !out)) return INSUFFICIENT_SIZE;
    if (*count) memcpy(out, self.processes[kind], *count * sizeof *out);
    return SUCCESS;
}

API int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_info *out) {
    return processes(handle, 0, count, out);
}

API int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_info *out) {
    return processes(handle, 1, count, out);
}

API int nvmlDeviceGetIndex(void *handle, unsigned *out) {
    WITH_CARD("index")
    *out = (unsigned)self.number;
    return SUCCESS;
}

/* Asked for by nvitop, beside the figures that matter here. */
API int nvmlDeviceGetProcessUtilization(void *handle, void *samples, unsigned *count, u64 since) {
    (void)samples;
    (void)since;
    WITH_CARD("samples")
    *count = 0;
    return NOT_FOUND;
}
