#include "nngpcheck/architectures/absent.hpp"

#include <array>
#include <cctype>
#include <utility>

#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::architectures {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 25> absent = {{
    {"softmax", "there is no softmax over the width of a layer; self_attention has one, over the positions"},
    {"weight_norm",
     "there is no weight norm; a weight of n entries of variance s/n has norm √s in the limit: set "
     "weight_variance"},
    {"spectral_norm", "there is no spectral norm; set weight_variance"},
    {"embedding",
     "there is no embedding layer; give the embedded tokens as the input, and dense embeds them at random"},
    {"positional_encoding", "positional encodings are columns of the input file"},
    {"unit_forget_bias",
     "the key is forget_bias, the mean of the forget gate's bias: 1 is Keras's unit_forget_bias"},
    {"mlp_mixer",
     "MLP-Mixer's token mixing has a hidden layer as wide as some multiple of the number of tokens, which "
     "stays fixed: "
     "its random weights stay in the kernel, and there is no deterministic limit. A local_conv over all "
     "tokens mixes "
     "them with weights for each channel pair, and has one"},
    {"proj_size",
     "a projection of the state to a fixed size stays random, and there is no deterministic limit; leave it "
     "out"},
    {"recurrent_dropout",
     "the layer dropout with shared = \"sites\" has one mask for all sites, before or behind the cell"},
    {"attention_dropout",
     "dropout of attention weights, which are numbers and no vectors, stays random: there is no "
     "deterministic limit; in "
     "evaluation it is the identity"},
    {"heads",
     "graph_attention has n/head_size heads: scores of a fixed number of them stay random as they grow, and "
     "there is no deterministic limit"},
    {"gatv2_conv", "the layer is graph_attention, with scores = \"gatv2\""},
    {"concat_heads", "graph_attention gives the coordinates of its heads, as blocks"},
    {"dropout_edge", "dropout of edges stays random, and there is no deterministic limit"},
    {"relative_position_bias",
     "learnt numbers of a fixed number of heads stay random, and there is no deterministic limit; "
     "relative_bias and score_bias add given ones, relative_bias_variance random ones of n/d heads"},
    {"num_kv_heads", "the key is key_value_heads; of heads of a fixed size, queries_per_key"},
    {"attn_mask", "the keys are visible, 0 or 1, and score_bias, which is added to the scores"},
    {"attention_mask", "the keys are visible, 0 or 1, and score_bias, which is added to the scores"},
    {"relative_position_embedding",
     "learnt vectors for each distance that all heads share stay random, and there is no deterministic "
     "limit; rotary_base turns queries and keys by given angles, relative_bias adds given numbers"},
    {"rope_theta", "the key is rotary_base"},
    {"num_key_value_groups", "the key is queries_per_key"},
    {"bias", "whether there are biases is said by bias_variance, which is 0 without them"},
    {"use_bias", "whether there are biases is said by bias_variance, which is 0 without them"},
    {"activation_fn", "the key is called activation"},
    {"1/d", "the width of a head is n/heads; \"1/n\" divides by it"},
}};

// Layers that have another name here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 71> renamed = {{
    {"linear", "dense"},
    {"fc", "dense"},
    {"einsum", "dense"},
    {"conv1d", "conv"},
    {"conv2d", "conv"},
    {"conv3d", "conv"},
    {"avgpool1d", "avg_pool"},
    {"avgpool2d", "avg_pool"},
    {"averagepooling1d", "avg_pool"},
    {"averagepooling2d", "avg_pool"},
    {"maxpool1d", "max_pool"},
    {"maxpool2d", "max_pool"},
    {"maxpooling1d", "max_pool"},
    {"maxpooling2d", "max_pool"},
    {"globalaveragepooling1d", "global_avg_pool"},
    {"globalaveragepooling2d", "global_avg_pool"},
    {"adaptiveavgpool1d", "adaptive_avg_pool"},
    {"adaptiveavgpool2d", "adaptive_avg_pool"},
    {"layernormalization", "layer_norm"},
    {"batchnorm1d", "batch_norm"},
    {"batchnorm2d", "batch_norm"},
    {"batchnormalization", "batch_norm"},
    {"multiheadattention", "self_attention"},
    {"attention", "self_attention"},
    {"rnn", "simple_rnn"},
    {"gcnconv", "graph_conv"},
    {"add", "residual"},
    {"multiply", "product"},
    {"maxout", "maximum"},
    {"swiglu", "glu"},
    {"geglu", "glu"},
    {"reglu", "glu"},
    {"squeezeexcitation", "product"},
    {"scale", "rescale"},
    {"rescaling", "rescale"},
    {"dropout1d", "dropout"},
    {"dropout2d", "dropout"},
    {"spatialdropout1d", "dropout"},
    {"spatialdropout2d", "dropout"},
    {"groupnormalization", "group_norm"},
    {"instancenorm1d", "instance_norm"},
    {"instancenorm2d", "instance_norm"},
    {"rmsnormalization", "rms_norm"},
    {"depthwiseconv1d", "depthwise_conv"},
    {"depthwiseconv2d", "depthwise_conv"},
    {"convtranspose1d", "transposed_conv"},
    {"convtranspose2d", "transposed_conv"},
    {"conv1dtranspose", "transposed_conv"},
    {"conv2dtranspose", "transposed_conv"},
    {"deconv", "transposed_conv"},
    {"convlocal", "local_conv"},
    {"locallyconnected1d", "local_conv"},
    {"locallyconnected2d", "local_conv"},
    {"zeropadding1d", "pad"},
    {"zeropadding2d", "pad"},
    {"zeropad2d", "pad"},
    {"reflectionpad1d", "pad"},
    {"reflectionpad2d", "pad"},
    {"cropping1d", "crop"},
    {"cropping2d", "crop"},
    {"upsampling1d", "upsample"},
    {"upsampling2d", "upsample"},
    {"resize", "upsample"},
    {"interpolate", "upsample"},
    {"globalmaxpooling1d", "global_max_pool"},
    {"globalmaxpooling2d", "global_max_pool"},
    {"gatconv", "graph_attention"},
    {"sageconv", "graph_conv"},
    {"ginconv", "graph_conv"},
    {"concatenate", "concat"},
    {"cat", "concat"},
}};

// Small letters and digits: other libraries write "AveragePooling2D", "RMSNorm", "group_norm".
std::string plain(std::string_view word) {
  std::string result;
  for (const unsigned char c : word) {
    if (std::isalnum(c)) result += static_cast<char>(std::tolower(c));
  }
  return result;
}

// What a table says of a word, or "".
template <std::size_t rows>
std::string_view find(const std::array<std::pair<std::string_view, std::string_view>, rows>& table,
                      std::string_view word) {
  for (const auto& [name, text] : table) {
    if (plain(name) == plain(word)) return text;
  }
  return "";
}

}  // namespace

std::string advice(std::string_view word, const std::vector<std::string>& valid) {
  const std::string_view reason = find(absent, word);
  return reason.empty() ? support::advice(word, valid) : ": " + std::string(reason);
}

std::string layer_advice(std::string_view type, const std::vector<std::string>& valid) {
  if (const std::string_view name = find(renamed, type); !name.empty()) {
    return "; it is called \"" + std::string(name) + "\" here";
  }
  if (!find(absent, type).empty() || !support::close_spelling(type, valid).empty())
    return advice(type, valid);
  try {
    const std::string name = netsor::Activation::named(type).name();
    return ": \"" + std::string(type) + "\" is an activation; write {type = \"activation\", activation = \"" +
           name + "\"}";
  } catch (const netsor::ProgramError&) {
    return advice(type, valid);
  }
}

}  // namespace nngpcheck::architectures
