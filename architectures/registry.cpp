#include "nngpcheck/architectures/registry.hpp"

#include "nngpcheck/architectures/absent.hpp"
#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/gcn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"

namespace nngpcheck::architectures {

namespace {

template <class Options>
Architecture family(std::string name, std::string inputs, std::string summary,
                    Network (*make)(const Options&)) {
  return {std::move(name), std::move(summary), std::move(inputs), describe<Options>(),
          [make](const Settings& settings) { return make(parse<Options>(settings)); }};
}

}  // namespace

const std::vector<Architecture>& all() {
  static const std::vector<Architecture> table = {
      family<MlpOptions>("mlp", "vectors", "multilayer perceptron", mlp),
      family<BatchNormMlpOptions>("batchnorm_mlp", "vectors",
                                  "multilayer perceptron with batch normalization", batchnorm_mlp),
      family<CnnOptions>("cnn", "grids", "convolutional network", cnn),
      family<ResnetOptions>("resnet", "grids", "residual convolutional network", resnet),
      family<GcnOptions>("gcn", "graph", "graph convolutional network", gcn),
      family<TransformerOptions>("transformer", "sequences", "transformer", transformer),
      family<SimpleRnnOptions>("simple_rnn", "sequences", "simple recurrent network", simple_rnn),
      family<GruOptions>("gru", "sequences", "gated recurrent unit", gru),
      family<LstmOptions>("lstm", "sequences", "long short-term memory", lstm),
      family<ConvLstmAttentionOptions>("conv_lstm_attention", "sequences",
                                       "convolution, LSTM, attention, layer norm and pooling",
                                       conv_lstm_attention),
  };
  return table;
}

const Architecture& find(const std::string& name) {
  std::vector<std::string> names;
  for (const Architecture& architecture : all()) {
    if (architecture.name == name) return architecture;
    names.push_back(architecture.name);
  }
  throw ArchitectureError("unknown architecture \"" + name + "\"" + advice(name, names), "name");
}

}  // namespace nngpcheck::architectures
