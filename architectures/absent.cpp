#include "architectures/absent.hpp"

#include <array>
#include <utility>

#include "netsor/spelling.hpp"

namespace nngpcheck::architectures {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 24> absent = {{
    {"dropout", "there is no dropout; leave it out for the network as it is evaluated"},
    {"softmax", "there is no softmax over the width of a layer; self_attention has one, over the positions"},
    {"rms_norm",
     "there is no RMS norm; the nearest is layer_norm, which subtracts the mean, too: behind a dense layer "
     "that mean tends to 0 and the limits are the same"},
    {"rmsnorm", "there is no RMS norm; the nearest is layer_norm (see rms_norm)"},
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
    {"linear", "the layer W x + b is called dense"},
    {"fc", "the layer W x + b is called dense"},
    {"conv1d", "the layer is called conv; its axes are those of the grid"},
    {"conv2d", "the layer is called conv; its axes are those of the grid"},
    {"attention", "the layer is called self_attention; there is no attention to another input"},
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
    {"1/sqrt(d)",
     "scores over √d with heads of a fixed size d and infinitely many of them are not there; the nearest is "
     "\"1/n\" with a "
     "fixed number of heads, each of width n/heads"},
    {"1/d", "the width of a head is n/heads; \"1/n\" divides by it"},
}};

}  // namespace

std::string advice(std::string_view word, const std::vector<std::string>& valid) {
  for (const auto& [name, text] : absent) {
    if (name == word) return ": " + std::string(text);
  }
  return netsor::advice(word, valid);
}

}  // namespace nngpcheck::architectures
