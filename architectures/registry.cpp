#include "architectures/registry.hpp"

#include "architectures/gru.hpp"
#include "architectures/lstm.hpp"
#include "architectures/mlp.hpp"
#include "architectures/simple_rnn.hpp"
#include "netsor/spelling.hpp"

namespace nngpcheck::architectures {

namespace {

template <class Options>
Architecture family(std::string name, std::string summary,
                    netsor::Program (*build)(const Options&, const Inputs&)) {
  return {std::move(name), std::move(summary), describe<Options>(),
          [build](const Settings& settings, const Inputs& inputs) {
            return build(parse<Options>(settings), inputs);
          }};
}

}  // namespace

const std::vector<Architecture>& all() {
  static const std::vector<Architecture> table = {
      family("mlp", "multilayer perceptron", mlp),
      family("simple_rnn", "simple recurrent network over sequences", simple_rnn),
      family("gru", "gated recurrent unit over sequences", gru),
      family("lstm", "long short-term memory over sequences", lstm),
  };
  return table;
}

const Architecture& find(const std::string& name) {
  std::vector<std::string> names;
  for (const Architecture& architecture : all()) {
    if (architecture.name == name) return architecture;
    names.push_back(architecture.name);
  }
  throw ArchitectureError(
      "unknown architecture \"" + name + "\"; did you mean \"" + netsor::nearest(name, names) + "\"?",
      "name");
}

}  // namespace nngpcheck::architectures
