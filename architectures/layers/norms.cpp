// Norms.
#include <cmath>
#include <map>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;
using netsor::TableId;

namespace {

// Σ_k (width_k/Σ width) table(block_k).
template <class PerBlock>
TableId average(Writer& writer, const Signal& x, const PerBlock& table) {
  const double total = writer.total_width(x);
  std::vector<double> shares;
  std::vector<TableId> tables;
  for (const BundleId block : x.blocks) {
    shares.push_back(writer.builder().type(block).width.ratio() / total);
    tables.push_back(table(block));
  }
  if (tables.size() == 1) return tables.front();
  return writer.builder().apply(netsor::Sum{shares}, tables);
}

// x·M, M the average over the sites of each sample, once for each of its sites.
BundleId site_average(Writer& writer, BundleId block, const Sites& sites) {
  return writer.builder().mix(block, netsor::SparseMatrix(sample_average(sites) * sample_repeat(sites)));
}

struct Statistics {
  bool center;
  NormOver over;
  double epsilon;
};

// E[x²] at every site, or its average over the sample's: numbers are averaged as the columns 1·t, which keeps
// the rules that Gram matrices of sums have.
TableId mean_square(Writer& writer, BundleId block, const Sites& sites, NormOver over) {
  netsor::Builder& builder = writer.builder();
  const TableId squares = builder.apply(netsor::Diagonal{}, {builder.gram(block, block)});
  if (over == NormOver::width) return squares;
  return builder.mean(site_average(writer, builder.mix(builder.ones(), squares), sites));
}

// Each block minus the mean of all, divided by their deviation.
Signal normalize(Writer& writer, const Signal& x, const Statistics& of) {
  netsor::Builder& builder = writer.builder();
  Signal result = x;
  if (of.center) {
    const TableId mean = average(writer, x, [&](BundleId block) {
      return builder.mean(of.over == NormOver::width ? block : site_average(writer, block, x.sites));
    });
    for (BundleId& block : result.blocks) {
      const BundleId means = builder.mix(builder.ones(builder.type(block).width), mean);
      block = builder.add({{1, block}, {-1, means}});
    }
  }
  const TableId square =
      average(writer, result, [&](BundleId block) { return mean_square(writer, block, x.sites, of.over); });
  const TableId factors = builder.apply(netsor::Rsqrt{of.epsilon}, {square});
  for (BundleId& block : result.blocks) block = builder.scale(block, factors);
  return result;
}

// x ⊙ γ + β.
Signal affine(Writer& writer, Signal x, const std::string& name, double gain_variance, double bias_variance) {
  netsor::Builder& builder = writer.builder();
  for (std::size_t k = 0; k < x.blocks.size(); ++k) {
    BundleId& block = x.blocks[k];
    if (gain_variance > 0) {
      block = builder.mul(block, writer.bias(Writer::block_name(name + ".gain", x, k),
                                             builder.type(block).width, gain_variance, 1));
    }
    block = writer.add_bias(block, Writer::block_name(name + ".b", x, k), bias_variance);
  }
  return x;
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

// Standardized per coordinate; `group` of every sample.
template <class Group>
Signal standardize(Writer& writer, const Signal& x, double epsilon, const Group& group) {
  std::vector<int> groups;
  for (Index s = 0; s < x.sites.samples(); ++s)
    groups.insert(groups.end(), static_cast<std::size_t>(x.sites.size(s)), group(s));
  Signal result = x;
  for (BundleId& block : result.blocks) block = writer.builder().standardize(block, groups, epsilon);
  return result;
}

Signal evaluated(Writer& writer, const BatchNorm& layer, const Signal& x) {
  if (!(layer.running_variance + layer.epsilon > 0)) {
    throw ArchitectureError("running_variance = 0 with epsilon = 0 divides by 0; give a variance > 0",
                            "running_variance");
  }
  const double factor = 1 / std::sqrt(layer.running_variance + layer.epsilon);
  Signal result = x;
  for (BundleId& block : result.blocks) {
    std::vector<netsor::Add::Term> terms = {{factor, block}};
    if (layer.running_mean != 0) {
      terms.push_back(
          {-factor * layer.running_mean, writer.builder().ones(writer.builder().type(block).width)});
    }
    block = writer.builder().add(std::move(terms));
  }
  return result;
}

}  // namespace

Signal apply(Writer& writer, const LayerNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  return affine(writer, normalize(writer, x, {true, layer.over, layer.epsilon}), name, layer.gain_variance,
                layer.bias_variance);
}

Signal apply(Writer& writer, const RmsNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  return affine(writer, normalize(writer, x, {false, layer.over, layer.epsilon}), name, layer.gain_variance,
                0);
}

Signal apply(Writer& writer, const GroupNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  Signal result{std::nullopt, {}, x.sites};
  for (int j = 0; j < layer.groups; ++j) {
    const Signal group = writer.group(x, j, layer.groups, layer.groups);
    const Signal part = normalize(writer, group, {true, NormOver::sample, layer.epsilon});
    result.blocks.insert(result.blocks.end(), part.blocks.begin(), part.blocks.end());
  }
  return affine(writer, std::move(result), name, layer.gain_variance, layer.bias_variance);
}

Signal apply(Writer& writer, const InstanceNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  for (Index s = 0; s < x.sites.samples() && layer.epsilon == 0; ++s) {
    if (x.sites.size(s) > 1) continue;
    throw ArchitectureError(
        "sample " + std::to_string(s) +
        " has one site, over which the variance is 0; give inputs with several, or epsilon > 0");
  }
  const Signal result = standardize(writer, x, layer.epsilon, [](Index s) { return static_cast<int>(s); });
  return affine(writer, result, name, layer.gain_variance, layer.bias_variance);
}

Signal apply(Writer& writer, const BatchNorm& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  if (layer.mode == NetworkMode::evaluation)
    return affine(writer, evaluated(writer, layer, x), name, layer.gain_variance, layer.bias_variance);
  refuse_single_columns(writer, layer, x.sites);
  const std::vector<int>& batch = writer.inputs().batch;
  const Signal result = standardize(writer, x, layer.epsilon, [&](Index s) {
    return batch.empty() ? 0 : batch[static_cast<std::size_t>(s)];
  });
  return affine(writer, result, name, layer.gain_variance, layer.bias_variance);
}

}  // namespace nngpcheck::architectures
