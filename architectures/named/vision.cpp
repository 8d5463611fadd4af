#include "nngpcheck/architectures/named/vision.hpp"

namespace nngpcheck::architectures {

namespace {

template <class S>
std::vector<Field<S>> vision_fields() {
  return {{"depth", &S::depth, "number of blocks, of each group or level", 1},
          {"activation", &S::activation, "φ"},
          {"weight_variance", &S::weight_variance, "variance of a weight times its fan-in"},
          {"input_variance", &S::input_variance, "variance of a weight on the image times its fan-in"},
          {"bias_variance", &S::bias_variance, "variance of a bias"},
          {"epsilon", &S::epsilon, "added to the variance in norms"},
          {"readout_variance", &S::readout_variance, "variance of a readout weight times n"}};
}

Conv conv(const VisionOptions& options, std::int64_t kernel, std::int64_t stride = 1) {
  Conv result;
  result.kernel = {kernel};
  result.stride = {stride};
  result.weight_variance = options.weight_variance;
  result.bias_variance = options.bias_variance;
  return result;
}

Layer on_image(Conv conv, const VisionOptions& options) {
  conv.weight_variance = options.input_variance;
  return {conv};
}

void append(Layers& layers, const Layers& more) { layers.insert(layers.end(), more.begin(), more.end()); }

}  // namespace

std::vector<Field<WideResnetOptions>> WideResnetOptions::fields() {
  const std::vector<Field<WideResnetOptions>> own = {
      {"norm", &WideResnetOptions::norm, "before each activation"}};
  return vision_fields<WideResnetOptions>() + own;
}

Network wide_resnet(const WideResnetOptions& options) {
  check(options);
  Layers active;
  if (options.norm == BlockNorm::batch_norm) active.push_back({BatchNorm{.epsilon = options.epsilon}});
  if (options.norm == BlockNorm::layer_norm)
    active.push_back({LayerNorm{.epsilon = options.epsilon, .over = NormOver::sample}});
  active.push_back({Activate{options.activation}});
  Layers layers{on_image(conv(options, 3), options)};
  for (int group = 0; group < 3; ++group) {
    for (int block = 0; block < options.depth; ++block) {
      const std::int64_t stride = group > 0 && block == 0 ? 2 : 1;
      Layers branch = active;
      branch.push_back({conv(options, 3, stride)});
      append(branch, active);
      branch.push_back({conv(options, 3)});
      layers.push_back({Residual{branch, stride == 1 ? Layers{} : Layers{{conv(options, 1, stride)}}}});
    }
  }
  append(layers, active);
  layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

std::vector<Field<MobilenetOptions>> MobilenetOptions::fields() {
  const std::vector<Field<MobilenetOptions>> own = {
      {"expansion", &MobilenetOptions::expansion, "width of the depthwise convolution as a multiple of n"}};
  return vision_fields<MobilenetOptions>() + own;
}

Network mobilenet(const MobilenetOptions& options) {
  check(options);
  const Layer active{Activate{options.activation}};
  DepthwiseConv depthwise;
  depthwise.weight_variance = options.weight_variance;
  depthwise.bias_variance = options.bias_variance;
  Layers layers{on_image(conv(options, 3), options), active};
  for (int block = 0; block < options.depth; ++block) {
    layers.push_back({Residual{{{Dense{options.expansion, options.weight_variance, options.bias_variance}},
                                active,
                                {depthwise},
                                active,
                                {Dense{{}, options.weight_variance, options.bias_variance}}},
                               {}}});
  }
  layers.push_back(active);
  layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

std::vector<Field<UnetOptions>> UnetOptions::fields() { return vision_fields<UnetOptions>(); }

namespace {

Layers level(const UnetOptions& options, int depth) {
  const Layer active{Activate{options.activation}};
  const Layers twice{{conv(options, 3)}, active, {conv(options, 3)}, active};
  if (depth == 0) return twice;
  TransposedConv up;
  up.weight_variance = options.weight_variance;
  up.bias_variance = options.bias_variance;
  Layers below{{Pool{.kind = Pool::Kind::maximum}}};
  append(below, level(options, depth - 1));
  below.push_back({up});
  Layers layers = twice;
  layers.push_back({Concat{{Layers{}, below}}});
  append(layers, twice);
  return layers;
}

}  // namespace

Network unet(const UnetOptions& options) {
  check(options);
  Layers layers = level(options, options.depth);
  std::get<Conv>(layers.front().kind).weight_variance = options.input_variance;
  layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

std::vector<Field<VitOptions>> VitOptions::fields() {
  const std::vector<Field<VitOptions>> own = {
      {"patch", &VitOptions::patch, "positions of a patch, per axis", 1},
      {"heads", &VitOptions::heads, "each of width n/heads; without head_size", 1},
      {"head_size", &VitOptions::head_size, "d of n/d heads; 0: heads of width n/heads"},
      {"scaling", &VitOptions::scaling, "of the scores"}};
  return vision_fields<VitOptions>() + own;
}

Network vit(const VitOptions& options) {
  check(options);
  const Layer norm{LayerNorm{.epsilon = options.epsilon}};
  SelfAttention attention;
  attention.heads = options.heads;
  attention.head_size = options.head_size;
  attention.scaling = options.scaling;
  attention.weight_variance = options.weight_variance;
  attention.bias_variance = options.bias_variance;
  Conv patches = conv(options, 1);
  patches.kernel = patches.stride = options.patch;
  patches.padding = "valid";
  Layers layers{on_image(patches, options)};
  for (int block = 0; block < options.depth; ++block) {
    layers.push_back({Residual{{norm, {attention}}, {}}});
    layers.push_back({Residual{{norm,
                                {Dense{netsor::Width(4), options.weight_variance, options.bias_variance}},
                                {Activate{options.activation}},
                                {Dense{{}, options.weight_variance, options.bias_variance}}},
                               {}}});
  }
  layers.push_back(norm);
  layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

}  // namespace nngpcheck::architectures
