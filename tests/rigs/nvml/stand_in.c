/* A stand-in for libnvidia-ml.so.1 that answers from a small text file, so that a meter can be tested without a GPU.
 *
 * The file named by STAND_IN_NVML is read again in every call: a test that rewrites it moves the meter live. Its lines are
 * `key value`; a line `gpu` starts the next device, and lines before the first one are about the library:
 *     init CODE | driver VERSION
 *     gpu | name TEXT | uuid TEXT | total N | reserved N | used N | free N | utilization N | temperature N | power N
 *     error CALL CODE           CALL is memory, utilization, temperature, power, processes, name, uuid, handle or all
 *     compute PID BYTES | graphics PID BYTES           BYTES of -1: the driver cannot tell
 * Structures follow NVML's public ABI (nvml.h); nothing else of NVML is imitated.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
#define MAX_GPUS 32
#define MAX_PROCESSES 64
#define MAX_ERRORS 16

enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, NOT_LOADED = 9 };

typedef unsigned long long u64;
typedef struct { unsigned pid; u64 used; unsigned gpu_instance, compute_instance; } process_info;
typedef struct { u64 total, free, used; } memory_v1;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } utilization;
typedef struct {
    char legacy[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char bus_id[32];
} pci_info;

typedef struct { char call[16]; int code; } error_rule;

typedef struct {
    char name[96], uuid[96];
    u64 total, reserved, used, free;
    unsigned utilization, temperature, power;
    error_rule errors[MAX_ERRORS];
    int n_errors;
    process_info processes[2][MAX_PROCESSES];
    unsigned n_processes[2];
} gpu_state;

typedef struct {
    int init, n_gpus, read;
    char driver[64];
    gpu_state gpus[MAX_GPUS];
} state;

static __thread state now;
static int initialized;

static void read_gpu_line(gpu_state *gpu, const char *key, const char *rest) {
    u64 number = strtoull(rest, NULL, 10);
    if (!strcmp(key, "name")) snprintf(gpu->name, sizeof gpu->name, "%s", rest);
    else if (!strcmp(key, "uuid")) snprintf(gpu->uuid, sizeof gpu->uuid, "%s", rest);
    else if (!strcmp(key, "total")) gpu->total = number;
    else if (!strcmp(key, "reserved")) gpu->reserved = number;
    else if (!strcmp(key, "used")) gpu->used = number;
    else if (!strcmp(key, "free")) gpu->free = number;
    else if (!strcmp(key, "utilization")) gpu->utilization = (unsigned)number;
    else if (!strcmp(key, "temperature")) gpu->temperature = (unsigned)number;
    else if (!strcmp(key, "power")) gpu->power = (unsigned)number;
    else if (!strcmp(key, "error") && gpu->n_errors < MAX_ERRORS) {
        error_rule *rule = &gpu->errors[gpu->n_errors++];
        sscanf(rest, "%15s %d", rule->call, &rule->code);
    } else {
        int kind = !strcmp(key, "compute") ? 0 : !strcmp(key, "graphics") ? 1 : -1;
        if (kind >= 0 && gpu->n_processes[kind] < MAX_PROCESSES) {
            process_info *process = &gpu->processes[kind][gpu->n_processes[kind]++];
            long long used = -1;
            sscanf(rest, "%u %lld", &process->pid, &used);
            process->used = (u64)used;
            process->gpu_instance = process->compute_instance = 0xFFFFFFFFu;
        }
    }
}

/* Reads the file into `now`; 0 when there is none, which is a machine without a driver. */
static int look(void) {
    const char *path = getenv("STAND_IN_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[256];
    memset(&now, 0, sizeof now);
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strchr(line, ' ');
        if (rest) *rest++ = 0; else rest = line + strlen(line);
        if (!strcmp(line, "gpu")) now.n_gpus += now.n_gpus < MAX_GPUS;
        else if (now.n_gpus) read_gpu_line(&now.gpus[now.n_gpus - 1], line, rest);
        else if (!strcmp(line, "init")) now.init = atoi(rest);
        else if (!strcmp(line, "driver")) snprintf(now.driver, sizeof now.driver, "%s", rest);
    }
    fclose(file);
    return 1;
}

/* A handle is the device's number plus one, so that it is never NULL. */
static int device(void *handle, const char *call, gpu_state **gpu) {
    size_t index = (size_t)handle - 1;
    if (!initialized) return UNINITIALIZED;
    if (!look()) return NOT_LOADED;
    if (index >= (size_t)now.n_gpus) return INVALID_ARGUMENT;
    *gpu = &now.gpus[index];
    for (int i = 0; i < (*gpu)->n_errors; i++) {
        error_rule *rule = &(*gpu)->errors[i];
        if (!strcmp(rule->call, call) || (!strcmp(rule->call, "all") && strcmp(call, "handle"))) return rule->code;
    }
    return SUCCESS;
}

#define WITH_DEVICE(call) \
    gpu_state *gpu = NULL; \
    int failed = device(handle, call, &gpu); \
    if (failed) return failed;

static int copy_text(const char *text, char *out, unsigned length) {
    if (strlen(text) + 1 > length) return INSUFFICIENT_SIZE;
    strcpy(out, text);
    return SUCCESS;
}

API int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    if (!look()) return NOT_LOADED;
    if (now.init == SUCCESS) initialized++;
    return now.init;
}

API int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

API int nvmlShutdown(void) {
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
    return look() ? copy_text(now.driver, out, length) : NOT_LOADED;
}

API int nvmlDeviceGetCount_v2(unsigned *count) {
    if (!initialized) return UNINITIALIZED;
    if (!look()) return NOT_LOADED;
    *count = (unsigned)now.n_gpus;
    return SUCCESS;
}

API int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    void *handle = (void *)((size_t)index + 1);
    WITH_DEVICE("handle")
    *out = handle;
    return SUCCESS;
}

API int nvmlDeviceGetName(void *handle, char *out, unsigned length) {
    WITH_DEVICE("name")
    return copy_text(gpu->name, out, length);
}

API int nvmlDeviceGetUUID(void *handle, char *out, unsigned length) {
    WITH_DEVICE("uuid")
    return copy_text(gpu->uuid, out, length);
}

API int nvmlDeviceGetPciInfo_v3(void *handle, pci_info *out) {
    WITH_DEVICE("pci")
    memset(out, 0, sizeof *out);
    out->bus = (unsigned)(size_t)handle;
    out->device_id = 0x233010deu;
    snprintf(out->legacy, sizeof out->legacy, "0000:%02X:00.0", out->bus);
    snprintf(out->bus_id, sizeof out->bus_id, "00000000:%02X:00.0", out->bus);
    return SUCCESS;
}

API int nvmlDeviceGetMemoryInfo(void *handle, memory_v1 *out) {
    WITH_DEVICE("memory")
    out->total = gpu->total;
    out->free = gpu->free;
    out->used = gpu->used + gpu->reserved;
    return SUCCESS;
}

API int nvmlDeviceGetMemoryInfo_v2(void *handle, memory_v2 *out) {
    if (out->version != (sizeof(memory_v2) | (2u << 24))) return 25;
    WITH_DEVICE("memory_v2")
    failed = device(handle, "memory", &gpu);
    if (failed) return failed;
    out->total = gpu->total;
    out->reserved = gpu->reserved;
    out->free = gpu->free;
    out->used = gpu->used;
    return SUCCESS;
}

API int nvmlDeviceGetUtilizationRates(void *handle, utilization *out) {
    WITH_DEVICE("utilization")
    out->gpu = gpu->utilization;
    out->memory = 0;
    return SUCCESS;
}

API int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *out) {
    (void)sensor;
    WITH_DEVICE("temperature")
    *out = gpu->temperature;
    return SUCCESS;
}

API int nvmlDeviceGetPowerUsage(void *handle, unsigned *out) {
    WITH_DEVICE("power")
    *out = gpu->power;
    return SUCCESS;
}

API int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *out) {
    WITH_DEVICE("power")
    *out = 700000;
    return SUCCESS;
}

API int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
    (void)current;
    (void)pending;
    WITH_DEVICE("mig")
    return NOT_SUPPORTED;
}

static int processes(void *handle, int kind, unsigned *count, process_info *out) {
    WITH_DEVICE("processes")
    unsigned room = *count;
    *count = gpu->n_processes[kind];
    if (*count > room || (*count && !out)) return INSUFFICIENT_SIZE;
    if (*count) memcpy(out, gpu->processes[kind], *count * sizeof *out);
    return SUCCESS;
}

API int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process_info *out) {
    return processes(handle, 0, count, out);
}

API int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process_info *out) {
    return processes(handle, 1, count, out);
}
