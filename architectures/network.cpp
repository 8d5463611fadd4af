#include "nngpcheck/architectures/network.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "nngpcheck/architectures/layers/writer.hpp"
#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::BundleId;

template <class Function>
void for_each_layer(Layers& layers, const Function& function) {
  for (Layer& layer : layers) {
    function(layer);
    for (Layers* part : parts(layer)) for_each_layer(*part, function);
  }
}

template <class L>
concept HasOptions = requires {
  L::fields();
};

Signal apply_all(Writer& writer, const Layers& layers, Signal x);

Signal apply(Writer& writer, const Input& layer, const std::string&, const Signal&) {
  const inputs::Inputs& inputs = writer.inputs().named(layer.of);
  return {inputs.data, {}, Sites(inputs)};
}

Signal apply(Writer& writer, const Dense& layer, const std::string& name, const Signal& x) {
  const netsor::Width width(layer.width.numerator(), layer.width.denominator() * layer.blocks);
  Signal result{std::nullopt, {}, x.sites};
  for (int j = 0; j < layer.blocks; ++j) {
    const std::string suffix = Writer::output_suffix(j, layer.blocks);
    const BundleId product = writer.linear(writer.group(x, j, layer.blocks, layer.groups),
                                           name + ".W" + suffix, width, layer.weight_variance);
    result.blocks.push_back(writer.add_bias(product, name + ".b" + suffix, layer.bias_variance));
  }
  return result;
}

Signal apply(Writer& writer, const Activate& layer, const std::string&, const Signal& x) {
  Writer::refuse_data(x);
  Signal result = x;
  for (BundleId& block : result.blocks) block = writer.builder().map(layer.activation, block);
  return result;
}

// With the layer's name in front of what went wrong.
template <class Work>
auto at(const Layer& layer, Work&& work) {
  const std::string place = "layer \"" + layer.name + "\": ";
  try {
    return work();
  } catch (const ArchitectureError& error) {
    throw ArchitectureError(place + error.what(), error.key());
  } catch (const InputError& error) {
    throw ArchitectureError(place + error.what());
  } catch (const netsor::ProgramError& error) {
    throw ArchitectureError(place + error.what());
  }
}

Signal join(Writer& writer, const Layer& layer, const Residual& residual, const Signal& x) {
  Signal sum = apply_all(writer, residual.layers, x);
  const Signal shortcut = apply_all(writer, residual.shortcut, x);
  writer.enter(layer.name, sum.sites);
  return at(layer, [&] {
    Writer::refuse_data(sum);
    Writer::refuse_data(shortcut);
    if (sum.sites != shortcut.sites) {
      throw ArchitectureError(
          "the layers give other sites than the shortcut; give a shortcut that fits, such "
          "as a conv of the same stride");
    }
    if (sum.blocks.size() != shortcut.blocks.size()) {
      throw ArchitectureError("the layers give " + std::to_string(sum.blocks.size()) +
                              " blocks but the shortcut " + std::to_string(shortcut.blocks.size()) +
                              "; give a shortcut = [{type = \"dense\"}]");
    }
    for (std::size_t k = 0; k < sum.blocks.size(); ++k) {
      sum.blocks[k] = writer.builder().add(sum.blocks[k], shortcut.blocks[k]);
    }
    return sum;
  });
}

// What every branch gives, none of them raw data.
std::vector<Signal> branches(Writer& writer, const Layer& layer, const std::vector<Layers>& lists,
                             const Signal& x) {
  if (lists.empty()) at(layer, [] { throw ArchitectureError("branches is empty; give at least one"); });
  std::vector<Signal> result;
  for (const Layers& list : lists) {
    result.push_back(apply_all(writer, list, x));
    if (lists.size() > 1) at(layer, [&] { Writer::refuse_data(result.back()); });
  }
  writer.enter(layer.name, x.sites);
  return result;
}

Signal join(Writer& writer, const Layer& layer, const Concat& concat, const Signal& x) {
  const std::vector<Signal> parts = branches(writer, layer, concat.branches, x);
  Signal result = parts.front();
  for (std::size_t k = 1; k < parts.size(); ++k) {
    if (parts[k].sites != result.sites)
      at(layer, [] { throw ArchitectureError("the branches give different sites"); });
    result.blocks.insert(result.blocks.end(), parts[k].blocks.begin(), parts[k].blocks.end());
  }
  return result;
}

// Joins branches block by block; one block is joined with all, one site per sample with all of the sample.
template <class Combine>
Signal combine(Writer& writer, const Layer& layer, const std::vector<Layers>& lists, const Signal& x,
               const Combine& both) {
  std::vector<Signal> parts = branches(writer, layer, lists, x);
  const auto largest = [&](const auto& size) {
    return *std::max_element(parts.begin(), parts.end(),
                             [&](const Signal& a, const Signal& b) { return size(a) < size(b); });
  };
  const Sites sites = largest([](const Signal& part) { return part.sites.columns(); }).sites;
  const std::size_t blocks = largest([](const Signal& part) { return part.blocks.size(); }).blocks.size();
  return at(layer, [&] {
    Signal result{std::nullopt, {}, sites};
    for (Signal& part : parts) {
      if (part.sites != sites && part.sites == sites.without_axes())
        part = writer.mix(part, sample_repeat(sites), sites);
      if (part.sites != sites)
        throw ArchitectureError("the branches give different sites; one per sample may be joined with all");
      if (part.blocks.size() != blocks && part.blocks.size() != 1) {
        throw ArchitectureError("the branches give " + std::to_string(part.blocks.size()) + " and " +
                                std::to_string(blocks) + " blocks; give equally many, or one");
      }
      for (std::size_t k = 0; k < blocks; ++k) {
        const BundleId block = part.blocks[part.blocks.size() == 1 ? 0 : k];
        if (result.blocks.size() == k)
          result.blocks.push_back(block);
        else
          result.blocks[k] = both(result.blocks[k], block);
      }
    }
    return result;
  });
}

Signal join(Writer& writer, const Layer& layer, const Product& product, const Signal& x) {
  return combine(writer, layer, product.branches, x,
                 [&](BundleId a, BundleId b) { return writer.builder().mul(a, b); });
}

Signal join(Writer& writer, const Layer& layer, const Maximum& maximum, const Signal& x) {
  return combine(writer, layer, maximum.branches, x,
                 [&](BundleId a, BundleId b) { return writer.builder().max(a, b); });
}

Signal join(Writer& writer, const Layer& layer, const CrossAttention& attention, const Signal& x) {
  const inputs::Inputs& inputs = writer.inputs();
  const Signal memory = apply_all(writer, attention.memory, {inputs.data, {}, Sites(inputs)});
  writer.enter(layer.name, x.sites);
  return at(layer, [&] { return apply(writer, attention, layer.name, x, memory); });
}

template <class L>
concept Recurrent = requires(L layer) {
  layer.initial;
};

template <Recurrent L>
Signal join(Writer& writer, const Layer& layer, const L& recurrent, const Signal& x) {
  const inputs::Inputs& inputs = writer.inputs();
  const auto given = [&](const Layers& layers) -> std::optional<Signal> {
    if (layers.empty()) return {};
    return apply_all(writer, layers, {inputs.data, {}, Sites(inputs)});
  };
  InitialStates initial{given(recurrent.initial), {}};
  if constexpr (requires { recurrent.initial_cell; }) initial.cell = given(recurrent.initial_cell);
  writer.enter(layer.name, x.sites);
  return at(layer, [&] { return apply(writer, recurrent, layer.name, x, initial); });
}

template <class L>
concept HasParts = std::is_same_v<L, CrossAttention> || Recurrent<L> || requires(L layer) {
  layer.shortcut;
} || requires(L layer) {
  layer.branches;
};

Signal apply_all(Writer& writer, const Layers& layers, Signal x) {
  for (const Layer& layer : layers) {
    if (std::holds_alternative<Input>(layer.kind) && &layer != &layers.front()) {
      at(layer, [] {
        throw ArchitectureError(
            "input is what a list of layers begins with; put it first, in a branch of its own");
      });
    }
    x = std::visit(
        [&]<class L>(const L& of) {
          if constexpr (HasParts<L>) {
            return join(writer, layer, of, x);
          } else {
            writer.enter(layer.name, x.sites);
            return at(layer, [&] { return apply(writer, of, layer.name, x); });
          }
        },
        layer.kind);
    writer.leave(x.sites);
  }
  return x;
}

}  // namespace

std::vector<Field<ReadoutBias>> ReadoutBias::fields() {
  return {
      {"readout_bias_variance", &ReadoutBias::readout_bias_variance, "variance of the output's bias", 0, {}}};
}

Network network(Layers layers, double readout_variance, double readout_bias_variance) {
  std::set<std::string> taken;
  for_each_layer(layers, [&](const Layer& layer) { taken.insert(layer.name); });
  std::map<std::string, int> counts;
  for_each_layer(layers, [&](Layer& layer) {
    std::visit(
        [&]<class L>(const L& options) {
          if constexpr (HasOptions<L>) check(options);
        },
        layer.kind);
    if (!layer.name.empty()) return;
    const std::string kind = type_name(layer.kind);
    do {
      layer.name = kind + std::to_string(++counts[kind]);
    } while (taken.contains(layer.name));
  });
  return {std::move(layers), readout_variance, readout_bias_variance};
}

namespace {

void refuse_unread(const Network& network, const inputs::Inputs& inputs) {
  Layers layers = network.layers;
  std::set<std::string> read;
  for_each_layer(layers, [&](const Layer& layer) {
    if (const auto* input = std::get_if<Input>(&layer.kind)) read.insert(input->of);
  });
  for (const inputs::NamedInputs& other : inputs.others) {
    if (read.contains(other.name)) continue;
    throw ArchitectureError("no layer reads the inputs \"" + other.name +
                            "\"; give {type = \"input\", of = \"" + other.name + "\"}, or leave them out");
  }
}

}  // namespace

netsor::Program program(const Network& network, const inputs::Inputs& inputs) {
  validate(inputs);
  Writer writer(inputs);
  const Signal last = apply_all(writer, network.layers, {inputs.data, {}, Sites(inputs)});
  refuse_unread(network, inputs);
  if (last.data) throw ArchitectureError("no layer draws weights; give at least one dense layer");
  netsor::Builder& builder = writer.builder();
  std::vector<BundleId> blocks = last.blocks;
  double variance = network.readout_variance;
  if (network.readout_bias_variance > 0) {
    if (!(variance > 0)) {
      throw ArchitectureError(
          "readout_bias_variance needs readout_variance > 0, or nothing of the network is seen",
          "readout_bias_variance");
    }
    netsor::Width total = builder.type(blocks.front()).width;
    for (std::size_t k = 1; k < blocks.size(); ++k) total = total + builder.type(blocks[k]).width;
    const MatrixXd row =
        MatrixXd::Constant(1, last.sites.columns(), std::sqrt(network.readout_bias_variance / variance));
    blocks.push_back(builder.mix(builder.ones(total), netsor::SparseMatrix(row.sparseView())));
    variance *= 2;  // of twice as many coordinates
  }
  builder.output(builder.readout({"v", variance}), std::move(blocks), *writer.labels(last.sites));
  return std::move(writer.builder()).build();
}

}  // namespace nngpcheck::architectures
