#include "tests/conformance/cases.hpp"

#include "nngpcheck/architectures/registry.hpp"
#include "tests/empirical/programs.hpp"

namespace nngpcheck::testing {

using architectures::Settings;
using inputs::Inputs;

namespace {

Inputs images() {
  Inputs result = vectors(2, 12);
  result.grid = {2, 3};
  return result;
}

Inputs squares() {
  Inputs result = vectors(2, 8);
  result.grid = {2, 2};
  return result;
}

Inputs graph() {
  Inputs result = vectors(3, 5);
  result.graph = {{0, 1}, {1, 0}, {1, 2}, {2, 1}, {2, 3}, {3, 2}, {4, 0, 0.5}};
  return result;
}

Inputs batches() {
  Inputs result = vectors(6, 7);
  result.batch = {0, 0, 0, 1, 1, 1, 1};
  return result;
}

Case make(const std::string& name, Inputs inputs, const Settings& settings) {
  const std::string architecture = name.substr(0, name.find(' '));
  return {name, architectures::find(architecture).make(settings), std::move(inputs)};
}

}  // namespace

std::vector<Case> conformance_cases() {
  const Inputs words = sequences(3, {3, 2});
  const std::int64_t two = 2;
  return {
      make("mlp", vectors(4, 5), {{"depth", std::int64_t{3}}, {"activation", "erf"}, {"bias_variance", 0.2}}),
      make("batchnorm_mlp", batches(), {{"depth", two}, {"epsilon", 0.01}}),
      make("cnn", images(), {{"bias_variance", 0.1}, {"padding", "circular"}}),
      make("cnn flattened", images(), {{"kernel", two}, {"outputs", "flatten"}, {"activation", "tanh"}}),
      make("resnet", images(),
           {{"stride", std::vector<std::int64_t>{1, 2}}, {"depth", two}, {"outputs", "positions"}}),
      make("gcn", graph(), {{"bias_variance", 0.1}}),
      make("graphsage", graph(), {{"depth", two}, {"bias_variance", 0.1}, {"activation", "tanh"}}),
      make("gin", graph(), {{"depth", std::int64_t{1}}, {"epsilon", 0.5}, {"weight_variance", 2.0}}),
      make("transformer", words,
           {{"depth", two}, {"embedding_variance", 2.0}, {"weight_variance", 3.0}, {"bias_variance", 0.1}}),
      make("transformer pre_norm", words,
           {{"variant", "pre_norm"}, {"heads", two}, {"feedforward", two}, {"activation", "gelu"}}),
      make("gpt", words, {{"embedding_variance", 2.0}, {"bias_variance", 0.1}, {"scaling", "1/sqrt(d)"}}),
      make("vit", images(),
           {{"patch", std::vector<std::int64_t>{1, 3}}, {"bias_variance", 0.2}, {"heads", two}}),
      make("wide_resnet", images(), {{"norm", "none"}, {"bias_variance", 0.2}}),
      make("mobilenet", images(), {{"expansion", two}, {"bias_variance", 0.2}, {"activation", "tanh"}}),
      make("unet", squares(), {{"activation", "tanh"}, {"bias_variance", 0.2}}),
      make("seq2seq", sequences(3, {3, 3}), {{"target", std::int64_t{1}}, {"bias_variance", 0.5}}),
      make("simple_rnn", words, {{"depth", two}, {"bidirectional", true}, {"bias_variance", 0.5}}),
      make("gru", words, {{"bias_variance", 1.0}, {"activation", "erf"}, {"gate_activation", "erf_sigmoid"}}),
      make("gru torch", words,
           {{"convention", "torch"}, {"hidden_bias_variance", 0.5}, {"outputs", "average"}}),
      make("lstm", words, {{"bias_variance", 1.0}, {"hidden_bias_variance", 0.5}, {"outputs", "last"}}),
      make("conv_lstm_attention", words, {{"bias_variance", 0.5}, {"weight_variance", 2.0}}),
  };
}

}  // namespace nngpcheck::testing
