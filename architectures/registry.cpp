#include "nngpcheck/architectures/registry.hpp"

#include "nngpcheck/architectures/absent.hpp"
#include "nngpcheck/architectures/named/cnn.hpp"
#include "nngpcheck/architectures/named/gcn.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"
#include "nngpcheck/architectures/named/recurrent.hpp"
#include "nngpcheck/architectures/named/transformer.hpp"
#include "nngpcheck/architectures/named/vision.hpp"

namespace nngpcheck::architectures {

namespace {

template <class Options>
Architecture family(std::string name, std::string inputs, std::string summary,
                    Network (*make)(const Options&)) {
  std::vector<OptionInfo> options = describe<Options>();
  for (OptionInfo& option : describe<ReadoutBias>()) options.push_back(std::move(option));
  return {std::move(name), std::move(summary), std::move(inputs), std::move(options),
          [make](const Settings& settings) {
            Settings own = settings, bias;
            if (auto node = own.extract("readout_bias_variance")) bias.insert(std::move(node));
            Network result = make(parse<Options>(own));
            result.readout_bias_variance = parse<ReadoutBias>(bias).readout_bias_variance;
            return result;
          }};
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
      family<GraphsageOptions>("graphsage", "graph", "GraphSAGE: means over neighbours beside the node",
                               graphsage),
      family<GinOptions>("gin", "graph", "graph isomorphism network", gin),
      family<TransformerOptions>("transformer", "sequences", "transformer", transformer),
      family<GptOptions>("gpt", "sequences", "blocks of GPT-2, with heads of a fixed size", gpt),
      family<VitOptions>("vit", "grids", "vision transformer", vit),
      family<WideResnetOptions>("wide_resnet", "grids", "wide residual network", wide_resnet),
      family<MobilenetOptions>("mobilenet", "grids", "inverted residuals with depthwise convolutions",
                               mobilenet),
      family<UnetOptions>("unet", "grids", "U-Net", unet),
      family<Seq2seqOptions>("seq2seq", "sequences", "LSTM encoder and decoder with attention", seq2seq),
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
