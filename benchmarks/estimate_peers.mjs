// node-llama-cpp's answers to `inspect estimate`, one line of JSON for each line read: {path, n_ctx, cache_type, layers}.
// `simulated` is what the command prints; `formula` is what it falls back to, and all it has for a GPU that is not here.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const home = createRequire(`${process.argv[2]}/package.json`);
const { getLlama, readGgufFileInfo, GgufInsights, LlamaLogLevel } = await import(
    pathToFileURL(home.resolve("node-llama-cpp")).href
);
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error });
const known = new Map();

for await (const line of createInterface({ input: process.stdin })) {
    const { path, n_ctx, cache_type, layers } = JSON.parse(line);
    const opening = performance.now();
    if (!known.has(path)) known.set(path, await GgufInsights.from(await readGgufFileInfo(path), llama));
    const insights = known.get(path);
    const weights = { gpuLayers: layers, useMmap: false };
    const context = {
        contextSize: n_ctx, modelGpuLayers: layers, batchSize: 512, sequences: 1, useMmap: false, flashAttention: true,
        kvCacheKeyType: cache_type, kvCacheValueType: cache_type,
    };
    const begun = performance.now();
    const simulated = {
        weights: await insights.estimateModelResourceRequirementsV2(weights),
        context: await insights.estimateContextResourceRequirementsV2(context),
    };
    const done = performance.now();
    const formula = {
        weights: insights.estimateModelResourceRequirements(weights),
        context: insights.estimateContextResourceRequirements(context),
    };
    console.log(JSON.stringify({ simulated, formula, open_ms: begun - opening, question_ms: done - begun }));
}
await llama.dispose();
process.exit(0);
