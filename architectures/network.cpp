#include "nngpcheck/architectures/network.hpp"

#include <map>
#include <set>

#include "nngpcheck/architectures/layers/writer.hpp"
#include "nngpcheck/netsor/error.hpp"

namespace nngpcheck::architectures {

namespace {

using Eigen::Index;
using netsor::BundleId;
using netsor::Overloaded;

template <class Function>
void for_each_layer(Layers& layers, const Function& function) {
  for (Layer& layer : layers) {
    function(layer);
    if (auto* residual = std::get_if<Residual>(&layer.kind)) {
      for_each_layer(residual->layers, function);
      for_each_layer(residual->shortcut, function);
    } else if (auto* concat = std::get_if<Concat>(&layer.kind)) {
      for (Layers& branch : concat->branches) for_each_layer(branch, function);
    }
  }
}

template <class L>
concept HasOptions = requires {
  L::fields();
};

Signal apply_all(Writer& writer, const Layers& layers, Signal x);

Signal apply(Writer& writer, const Dense& layer, const std::string& name, const Signal& x) {
  const BundleId product = writer.linear(x, name + ".W", layer.width, layer.weight_variance);
  return {std::nullopt, {writer.add_bias(product, name + ".b", layer.bias_variance)}, x.sites};
}

Signal apply(Writer& writer, const Activate& layer, const std::string&, const Signal& x) {
  Writer::refuse_data(x);
  Signal result = x;
  for (BundleId& block : result.blocks) block = writer.builder().map(layer.activation, block);
  return result;
}

Signal apply(Writer& writer, const GraphConv& layer, const std::string& name, const Signal& x) {
  const netsor::SparseMatrix matrix = adjacency(layer, writer.inputs());
  if (x.sites != Sites(writer.inputs())) {
    throw ArchitectureError("acts on the nodes of the inputs' graph; put it before layers that pool them");
  }
  const BundleId product = writer.linear(x, name + ".W", layer.width, layer.weight_variance);
  const BundleId sum = writer.builder().mix(product, matrix);
  return {std::nullopt, {writer.add_bias(sum, name + ".b", layer.bias_variance)}, x.sites};
}

Signal apply(Writer& writer, const GlobalAveragePool&, const std::string&, const Signal& x) {
  return writer.mix(x, sample_average(x.sites), x.sites.without_axes());
}

Signal apply(Writer& writer, const Last&, const std::string&, const Signal& x) {
  netsor::SparseMatrix last(x.sites.columns(), x.sites.samples());
  for (Index s = 0; s < x.sites.samples(); ++s) last.insert(x.sites.first(s + 1) - 1, s) = 1;
  return writer.mix(x, last, x.sites.without_axes());
}

Signal apply(Writer& writer, const Flatten&, const std::string&, const Signal& x) {
  const Index samples = x.sites.samples(), sites = x.sites.size(0);
  for (Index s = 1; s < samples; ++s) {
    if (x.sites.size(s) == sites) continue;
    throw ArchitectureError("samples 0 and " + std::to_string(s) + " have " + std::to_string(sites) +
                            " and " + std::to_string(x.sites.size(s)) +
                            " sites; flattening needs the same number, use global_avg_pool or last");
  }
  Signal result{std::nullopt, {}, x.sites.without_axes()};
  if (x.data) {  // row c·sites + p holds channel c of site p, as torch::flatten has it
    result.data.emplace(x.data->rows() * sites, samples);
    for (Index s = 0; s < samples; ++s) {
      result.data->col(s) = x.data->middleCols(x.sites.first(s), sites).transpose().reshaped();
    }
  }
  for (const BundleId block : x.blocks) {
    for (Index p = 0; p < sites; ++p) {
      std::vector<Index> columns;
      for (Index s = 0; s < samples; ++s) columns.push_back(x.sites.first(s) + p);
      result.blocks.push_back(writer.builder().select(block, columns));
    }
  }
  return result;
}

// A batch of one column has variance 0.
void refuse_single_columns(Writer& writer, const BatchNorm& layer, const Sites& sites) {
  std::map<int, std::vector<Index>> samples;  // by batch
  for (Index s = 0; s < sites.samples(); ++s) {
    const std::vector<int>& batch = writer.inputs().batch;
    samples[batch.empty() ? 0 : batch[static_cast<std::size_t>(s)]].push_back(s);
  }
  for (const auto& [number, members] : samples) {
    if (layer.epsilon > 0 || members.size() > 1 || sites.size(members.front()) > 1) continue;
    const auto column = static_cast<std::size_t>(sites.first(members.front()));
    throw ArchitectureError(
        "input \"" + writer.labels(sites)->at(column) + "\" is alone in batch " + std::to_string(number) +
        ", where its variance is 0; give a batch_size that leaves no batch of one, other inputs, "
        "or epsilon > 0");
  }
}

Signal apply(Writer& writer, const BatchNorm& layer, const std::string&, const Signal& x) {
  Writer::refuse_data(x);
  const std::vector<int>& batch = writer.inputs().batch;
  std::vector<int> group;
  refuse_single_columns(writer, layer, x.sites);
  for (Index s = 0; s < x.sites.samples(); ++s) {
    group.insert(group.end(), static_cast<std::size_t>(x.sites.size(s)),
                 batch.empty() ? 0 : batch[static_cast<std::size_t>(s)]);
  }
  Signal result = x;
  for (BundleId& block : result.blocks) block = writer.builder().standardize(block, group, layer.epsilon);
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

Signal join(Writer& writer, const Layer& layer, const Concat& concat, const Signal& x) {
  writer.enter(layer.name, x.sites);
  if (concat.branches.empty())
    at(layer, [] { throw ArchitectureError("branches is empty; give at least one"); });
  Signal result = apply_all(writer, concat.branches.front(), x);
  for (std::size_t k = 1; k < concat.branches.size(); ++k) {
    const Signal branch = apply_all(writer, concat.branches[k], x);
    at(layer, [&] {
      Writer::refuse_data(result);
      Writer::refuse_data(branch);
      if (branch.sites != result.sites) throw ArchitectureError("the branches give different sites");
    });
    result.blocks.insert(result.blocks.end(), branch.blocks.begin(), branch.blocks.end());
  }
  return result;
}

Signal apply_all(Writer& writer, const Layers& layers, Signal x) {
  for (const Layer& layer : layers) {
    x = std::visit(Overloaded{[&](const Residual& residual) { return join(writer, layer, residual, x); },
                              [&](const Concat& concat) { return join(writer, layer, concat, x); },
                              [&](const auto& of) {
                                writer.enter(layer.name, x.sites);
                                return at(layer, [&] { return apply(writer, of, layer.name, x); });
                              }},
                   layer.kind);
    writer.leave(x.sites);
  }
  return x;
}

}  // namespace

Network network(Layers layers, double readout_variance) {
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
  return {std::move(layers), readout_variance};
}

netsor::Program program(const Network& network, const inputs::Inputs& inputs) {
  validate(inputs);
  Writer writer(inputs);
  const Signal last = apply_all(writer, network.layers, {inputs.data, {}, Sites(inputs)});
  if (last.data) throw ArchitectureError("no layer draws weights; give at least one dense layer");
  writer.builder().output(writer.builder().readout({"v", network.readout_variance}), last.blocks,
                          *writer.labels(last.sites));
  return std::move(writer.builder()).build();
}

}  // namespace nngpcheck::architectures
