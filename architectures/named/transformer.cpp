#include "nngpcheck/architectures/named/transformer.hpp"

namespace nngpcheck::architectures {

namespace {

SelfAttention attention(const TransformerOptions& options, AttentionWeights weights) {
  SelfAttention result;
  result.weights = weights;
  result.heads = options.heads;
  result.mask = options.mask;
  result.temperature = options.temperature;
  result.weight_variance = options.weight_variance;
  result.head_size = options.head_size;
  result.scaling = options.scaling;
  return result;
}

}  // namespace

std::vector<Field<TransformerOptions>> TransformerOptions::fields() {
  using T = TransformerOptions;
  return {
      {"variant", &T::variant, "as in \"Tensor Programs I\", or norms first"},
      {"depth", &T::depth, "number of layers", 1},
      {"embedding_variance", &T::embedding_variance, "variance of every U times its fan-in"},
      {"weight_variance", &T::weight_variance, "variance of every other weight times its fan-in"},
      {"bias_variance", &T::bias_variance, "variance of a bias"},
      {"activation", &T::activation, "φ"},
      {"mask", &T::mask, "which positions are seen"},
      {"heads", &T::heads, "attention heads, pre_norm only", 1},
      {"head_size", &T::head_size, "d of n/d heads, pre_norm only; 0: heads of width n/heads"},
      {"scaling", &T::scaling, "of the scores"},
      {"feedforward", &T::feedforward, "width of the feed-forward part as a multiple of n"},
      {"temperature", &T::temperature, "divides the scores", 1e-300},
      {"epsilon", &T::epsilon, "added to the variance in layer norms"},
      {"readout_variance", &T::readout_variance, "variance of a readout weight times n"},
      {"outputs", &T::outputs, "what is read out"},
  };
}

Network transformer(const TransformerOptions& options) {
  check(options);
  const Layer embed{Dense{{}, options.embedding_variance, 0}};
  const Layer norm{LayerNorm{options.epsilon, 0, 0}};
  const Layers feedforward{{Dense{options.feedforward, options.weight_variance, options.bias_variance}},
                           {Activate{options.activation}},
                           {Dense{{}, options.weight_variance, options.bias_variance}}};
  Layers layers;
  if (options.variant == TransformerVariant::tp1) {
    for (int l = 0; l < options.depth; ++l) {
      for (const Layer& layer : Layers{embed,
                                       {Residual{{{attention(options, AttentionWeights::none)}}, {}}},
                                       norm,
                                       {Residual{feedforward, {}}},
                                       norm}) {
        layers.push_back(layer);
      }
    }
  } else {
    Layers normed = feedforward;
    normed.insert(normed.begin(), norm);
    layers.push_back(embed);
    for (int l = 0; l < options.depth; ++l) {
      layers.push_back({Residual{{norm, {attention(options, AttentionWeights::separate)}}, {}}});
      layers.push_back({Residual{normed, {}}});
    }
    layers.push_back(norm);
  }
  if (options.outputs == SequenceOutputs::last) layers.push_back({Last{}});
  if (options.outputs == SequenceOutputs::average) layers.push_back({GlobalAveragePool{}});
  return network(std::move(layers), options.readout_variance);
}

GptOptions::GptOptions() {
  variant = TransformerVariant::pre_norm;
  activation = netsor::Activation::named("gelu_tanh");
  feedforward = netsor::Width(4);
  head_size = 2;
  scaling = Scaling::d;
}

std::vector<Field<GptOptions>> GptOptions::fields() {
  return inherited<GptOptions>(TransformerOptions::fields());
}

Network gpt(const GptOptions& options) { return transformer(options); }

std::vector<Field<ConvLstmAttentionOptions>> ConvLstmAttentionOptions::fields() {
  using C = ConvLstmAttentionOptions;
  return {
      {"kernel", &C::kernel, "positions of the convolution's window", 1},
      {"activation", &C::activation, "φ after the convolution"},
      {"mask", &C::mask, "which positions attention sees"},
      {"weight_variance", &C::weight_variance, "variance of a weight times its fan-in"},
      {"bias_variance", &C::bias_variance, "variance of a bias"},
      {"epsilon", &C::epsilon, "added to the variance in the layer norm"},
      {"readout_variance", &C::readout_variance, "variance of a readout weight times n"},
  };
}

Network conv_lstm_attention(const ConvLstmAttentionOptions& options) {
  check(options);
  Conv conv;
  conv.kernel = options.kernel;
  conv.weight_variance = options.weight_variance;
  conv.bias_variance = options.bias_variance;
  Lstm lstm;
  lstm.weight_variance = lstm.input_variance = options.weight_variance;
  lstm.bias_variance = options.bias_variance;
  SelfAttention attention;
  attention.weights = AttentionWeights::none;
  attention.mask = options.mask;
  return network({{conv},
                  {Activate{options.activation}},
                  {lstm},
                  {attention},
                  {LayerNorm{options.epsilon, 0, 0}},
                  {GlobalAveragePool{}}},
                 options.readout_variance);
}

}  // namespace nngpcheck::architectures
