#include "nngpcheck/architectures/absent.hpp"

#include <array>
#include <cctype>
#include <utility>

#include "nngpcheck/netsor/activation.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::architectures {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 17> absent = {{
    {"dropout", "there is no dropout, which is the identity once a network is trained; leave it out"},
    {"softmax", "there is no softmax over the width of a layer; self_attention has one, over the positions"},
    {"rms_norm",
     "there is no RMS norm; the nearest is layer_norm, which subtracts the mean, too: behind a dense layer "
     "that mean tends to 0 and the limits are the same"},
    {"group_norm", "there is no group norm; the nearest is layer_norm, which is one group"},
    {"instance_norm",
     "there is no instance norm; the nearest are layer_norm (over the width) and batch_norm (over samples)"},
    {"weight_norm",
     "there is no weight norm; a weight of n entries of variance s/n has norm √s in the limit: set "
     "weight_variance"},
    {"spectral_norm", "there is no spectral norm; set weight_variance"},
    {"embedding",
     "there is no embedding layer; give the embedded tokens as the input, and dense embeds them at random"},
    {"positional_encoding", "positional encodings are columns of the input file"},
    {"cross_attention", "there is no attention to another input; the nearest is self_attention"},
    {"groups", "there are no groups; the nearest is a conv over all channels, without this key"},
    {"forget_bias",
     "biases are drawn with mean 0, so there is no constant one; the nearest is bias_variance, the variance "
     "of all biases"},
    {"unit_forget_bias",
     "biases are drawn with mean 0, so there is no constant one; the nearest is bias_variance, the variance "
     "of all biases"},
    {"bias", "whether there are biases is said by bias_variance, which is 0 without them"},
    {"use_bias", "whether there are biases is said by bias_variance, which is 0 without them"},
    {"activation_fn", "the key is called activation"},
    {"1/d", "the width of a head is n/heads; \"1/n\" divides by it"},
}};

// Layers that have another name here.
constexpr std::array<std::pair<std::string_view, std::string_view>, 28> renamed = {{
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
    {"adaptiveavgpool2d", "global_avg_pool"},
    {"layernormalization", "layer_norm"},
    {"batchnorm1d", "batch_norm"},
    {"batchnorm2d", "batch_norm"},
    {"batchnormalization", "batch_norm"},
    {"multiheadattention", "self_attention"},
    {"attention", "self_attention"},
    {"rnn", "simple_rnn"},
    {"gcnconv", "graph_conv"},
    {"add", "residual"},
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
  if (!find(absent, type).empty() || !support::close_spelling(type, valid).empty())
    return advice(type, valid);
  if (const std::string_view name = find(renamed, type); !name.empty()) {
    return "; it is called \"" + std::string(name) + "\" here";
  }
  try {
    const std::string name = netsor::Activation::named(type).name();
    return ": \"" + std::string(type) + "\" is an activation; write {type = \"activation\", activation = \"" +
           name + "\"}";
  } catch (const netsor::ProgramError&) {
    return advice(type, valid);
  }
}

}  // namespace nngpcheck::architectures
