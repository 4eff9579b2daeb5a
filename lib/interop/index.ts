// Weights in and out: other libraries' files and names.
export type { ChannelOption } from './adapt-channels.js';
export { type LoadWeightsOptions, loadWeights, type WeightsReport } from './load-weights.js';
export { type ExportOnnxOptions, exportOnnx, type Normalization } from './onnx/export-onnx.js';
export { type SaveWeightsOptions, saveWeights } from './save-weights.js';
export type { WeightNames } from './weight-names.js';
export type { WeightsFormat } from './weights-file.js';
