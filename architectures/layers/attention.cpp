// Attention.
#include <cmath>
#include <map>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::BundleId;
using netsor::TableId;
using netsor::Width;

namespace {

// Which key (row) a query (column) sees, and what is added to its score.
struct Sight {
  MatrixXd mask, added;  // 1 or 0
};

Sight sight(const SelfAttention& layer, const Sites& queries, const Sites& keys) {
  Sight result{MatrixXd::Zero(keys.columns(), queries.columns()),
               MatrixXd::Zero(keys.columns(), queries.columns())};
  for (Index s = 0; s < queries.samples(); ++s) {
    for (Index q = 0; q < queries.size(s); ++q) {
      for (Index k = 0; k < keys.size(s); ++k) {
        const bool hidden =
            (layer.mask == "causal" && k > q) || (layer.window > 0 && std::abs(k - q) >= layer.window);
        if (hidden) continue;
        result.mask(keys.first(s) + k, queries.first(s) + q) = 1;
        result.added(keys.first(s) + k, queries.first(s) + q) =
            -layer.distance_slope * static_cast<double>(std::abs(k - q));
      }
    }
  }
  return result;
}

netsor::SharedMatrix shared_mask(const MatrixXd& mask) {
  return mask.minCoeff() == 1 ? nullptr : std::make_shared<const MatrixXd>(mask);
}

// Σ_b (width_b/Σ width) key_bᵀ query_b/n_b.
TableId products(Writer& writer, const std::vector<BundleId>& keys, const std::vector<BundleId>& queries) {
  netsor::Builder& builder = writer.builder();
  double total = 0;
  for (const BundleId key : keys) total += builder.type(key).width.ratio();
  std::vector<double> shares;
  std::vector<TableId> tables;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    shares.push_back(builder.type(keys[k]).width.ratio() / total);
    tables.push_back(builder.gram(keys[k], queries[k]));
  }
  return tables.size() == 1 ? tables.front() : builder.apply(netsor::Sum{shares}, tables);
}

// The weight of every key (row) for every query (column).
TableId softmax(Writer& writer, const SelfAttention& layer, const Sight& sees,
                const std::vector<BundleId>& keys, const std::vector<BundleId>& queries) {
  netsor::Builder& builder = writer.builder();
  TableId scores = products(writer, keys, queries);
  if (layer.distance_slope > 0) {
    scores = builder.apply(netsor::Sum{{1 / layer.temperature, 1}}, {scores, builder.constant(sees.added)});
  } else if (layer.temperature != 1) {
    scores = builder.apply(netsor::Sum{{1 / layer.temperature}}, {scores});
  }
  return builder.apply(netsor::SoftmaxKeys{shared_mask(sees.mask)}, {scores});
}

void check_heads(const SelfAttention& layer) {
  const bool fixed = layer.head_size > 0, of_size = layer.scaling == "1/sqrt(d)" || layer.scaling == "1/d";
  if (layer.scaling == "1/sqrt(n)" || (of_size && !fixed)) {
    throw ArchitectureError("scaling = \"" + layer.scaling +
                                "\": such scores have no deterministic limit in heads whose width grows with "
                                "n (with separate queries and "
                                "keys they stay random, with tied ones they diverge), and the theorem does "
                                "not cover them; take \"1/n\", "
                                "or heads of a fixed size: head_size = 4 with \"1/sqrt(d)\" or \"1/d\"",
                            "scaling");
  }
  if (fixed && !of_size) {
    throw ArchitectureError("scaling = \"1/n\" divides by the width of a head, and head_size = " +
                                std::to_string(layer.head_size) + " fixes it; take \"1/sqrt(d)\" or \"1/d\"",
                            "scaling");
  }
  if (fixed && (layer.heads != 1 || layer.key_value_heads != 0)) {
    throw ArchitectureError("head_size = " + std::to_string(layer.head_size) +
                                " makes n/head_size heads; leave out heads and key_value_heads",
                            "head_size");
  }
  if (layer.key_value_heads > 0 && layer.heads % layer.key_value_heads != 0) {
    throw ArchitectureError("key_value_heads = " + std::to_string(layer.key_value_heads) +
                                " does not divide heads = " + std::to_string(layer.heads),
                            "key_value_heads");
  }
  if (layer.weights == "none" && (layer.heads != 1 || fixed || layer.bias_variance > 0)) {
    throw ArchitectureError(
        "heads = " + std::to_string(layer.heads) +
            " with weights = \"none\": heads, head_size and bias_variance are of weights; leave them out",
        "heads");
  }
}

void check_order(const SelfAttention& layer, const Sites& sites) {
  if (sites.have_axes(1)) return;
  if (layer.mask == "causal")
    throw ArchitectureError("mask = \"causal\" needs sequences or grids of one axis; use \"full\"", "mask");
  if (layer.window > 0)
    throw ArchitectureError("window needs sequences or grids of one axis; leave it out", "window");
  if (layer.distance_slope > 0) {
    throw ArchitectureError("distance_slope needs sequences or grids of one axis; leave it out",
                            "distance_slope");
  }
}

// A layer's projections, and its output.
struct Projections {
  Writer& writer;
  const SelfAttention& layer;
  const std::string& name;
  const Signal& queries;
  const Signal& memory;

  BundleId operator()(const std::string& letter, int number, Width width) const {
    const Signal& x = letter == "Q" ? queries : memory;
    const BundleId product =
        writer.linear(x, name + "." + letter + std::to_string(number), width, layer.weight_variance);
    return writer.add_bias(product, name + ".b" + letter + std::to_string(number), layer.bias_variance);
  }
  Signal output(std::vector<BundleId> heads) const {
    const Signal all{std::nullopt, std::move(heads), queries.sites};
    const BundleId product = writer.linear(all, name + ".O", {}, layer.weight_variance);
    return {std::nullopt, {writer.add_bias(product, name + ".bO", layer.bias_variance)}, queries.sites};
  }
};

Signal wide_heads(const Projections& project, const Sight& sees) {
  const SelfAttention& layer = project.layer;
  const Width width(1, layer.heads);
  const int shared = layer.key_value_heads == 0 ? 1 : layer.heads / layer.key_value_heads;
  std::vector<BundleId> result;
  for (int head = 0; head < layer.heads; ++head) {
    const BundleId key = project("K", head / shared, width);
    const BundleId query = layer.weights == "tied" ? key : project("Q", head, width);
    const TableId weights = softmax(project.writer, layer, sees, {key}, {query});
    result.push_back(project.writer.builder().mix(project("V", head / shared, width), weights));
  }
  return project.output(std::move(result));
}

// All visible (key, query), queries in order.
struct Pairs {
  std::vector<Index> keys, queries;
  std::vector<std::vector<Index>> of_query;

  explicit Pairs(const MatrixXd& mask) : of_query(static_cast<std::size_t>(mask.cols())) {
    for (Index q = 0; q < mask.cols(); ++q) {
      for (Index k = 0; k < mask.rows(); ++k) {
        if (mask(k, q) == 0) continue;
        of_query[static_cast<std::size_t>(q)].push_back(std::ssize(keys));
        keys.push_back(k);
        queries.push_back(q);
      }
    }
  }
  Index count() const { return std::ssize(keys); }
};

// exp s_p/Σ exp s over the keys of the query of p, coordinatewise, as 1/Σ_j exp(s_j - s_p), whose sum is at
// least 1.
BundleId softmax_columns(netsor::Builder& builder, BundleId scores, const Pairs& pairs) {
  std::vector<Eigen::Triplet<double>> differences, sums;
  Index column = 0;
  for (const std::vector<Index>& of : pairs.of_query) {
    for (const Index p : of) {
      for (const Index j : of) {
        if (j != p) {
          differences.emplace_back(j, column, 1.0);
          differences.emplace_back(p, column, -1.0);
        }
        sums.emplace_back(column++, p, 1.0);
      }
    }
  }
  netsor::SparseMatrix difference(pairs.count(), column), sum(column, pairs.count());
  difference.setFromTriplets(differences.begin(), differences.end());
  sum.setFromTriplets(sums.begin(), sums.end());
  const BundleId exponentials =
      builder.map(netsor::Activation::named("exp"), builder.mix(scores, std::move(difference)));
  return builder.map(netsor::Activation::from_expression("1/max(x, 1)", "reciprocal"),
                     builder.mix(exponentials, std::move(sum)));
}

Signal fixed_heads(const Projections& project, const Sight& sees) {
  const SelfAttention& layer = project.layer;
  netsor::Builder& builder = project.writer.builder();
  const Width width(1, layer.head_size);
  const Pairs pairs(sees.mask);
  const auto size = static_cast<double>(layer.head_size);
  const double scale = 1 / ((layer.scaling == "1/d" ? size : std::sqrt(size)) * layer.temperature);
  std::vector<netsor::Add::Term> terms;
  for (int i = 0; i < layer.head_size; ++i) {
    const BundleId key = project("K", i, width);
    const BundleId query = layer.weights == "tied" ? key : project("Q", i, width);
    terms.push_back(
        {scale, builder.mul(builder.select(key, pairs.keys), builder.select(query, pairs.queries))});
  }
  if (layer.distance_slope > 0) {
    MatrixXd row(1, pairs.count());
    for (Index p = 0; p < pairs.count(); ++p) {
      const auto at = static_cast<std::size_t>(p);
      row(0, p) = sees.added(pairs.keys[at], pairs.queries[at]);
    }
    terms.push_back({1, builder.mix(builder.ones(width), netsor::SparseMatrix(row.sparseView()))});
  }
  const BundleId weights = softmax_columns(builder, builder.add(std::move(terms)), pairs);
  netsor::SparseMatrix sum(pairs.count(), sees.mask.cols());
  for (Index p = 0; p < pairs.count(); ++p) sum.insert(p, pairs.queries[static_cast<std::size_t>(p)]) = 1;
  std::vector<BundleId> result;
  for (int i = 0; i < layer.head_size; ++i) {
    const BundleId values = builder.select(project("V", i, width), pairs.keys);
    result.push_back(builder.mix(builder.mul(weights, values), sum));
  }
  return project.output(std::move(result));
}

Signal attend(const Projections& project) {
  Writer& writer = project.writer;
  Writer::refuse_data(project.queries);
  Writer::refuse_data(project.memory);
  check_heads(project.layer);
  const Sight sees = sight(project.layer, project.queries.sites, project.memory.sites);
  if (project.layer.head_size > 0) return fixed_heads(project, sees);
  if (project.layer.weights != "none") return wide_heads(project, sees);
  const Signal& x = project.queries;
  const TableId weights = softmax(writer, project.layer, sees, x.blocks, x.blocks);
  Signal result{std::nullopt, {}, x.sites};
  for (const BundleId block : x.blocks) result.blocks.push_back(writer.builder().mix(block, weights));
  return result;
}

}  // namespace

Signal apply(Writer& writer, const SelfAttention& layer, const std::string& name, const Signal& x) {
  check_order(layer, x.sites);
  return attend({writer, layer, name, x, x});
}

Signal apply(Writer& writer, const CrossAttention& layer, const std::string& name, const Signal& x,
             const Signal& memory) {
  if (layer.mask != "full" || layer.window > 0 || layer.distance_slope > 0) {
    throw ArchitectureError(
        "mask, window and distance_slope compare positions of one sequence, and here are two; leave them out",
        "mask");
  }
  if (layer.weights == "none") {
    throw ArchitectureError(
        "weights = \"none\": queries and keys are different vectors; take \"separate\" or \"tied\"",
        "weights");
  }
  if (layer.weights == "tied") {
    throw ArchitectureError(
        "weights = \"tied\" makes queries of the keys, and here both are of different inputs; take "
        "\"separate\"",
        "weights");
  }
  return attend({writer, layer, name, x, memory});
}

Signal apply(Writer& writer, const LinearAttention& layer, const std::string& name, const Signal& x) {
  Writer::refuse_data(x);
  netsor::Builder& builder = writer.builder();
  SelfAttention like;
  like.weights = layer.weights;
  like.heads = layer.heads;
  like.mask = layer.mask;
  like.weight_variance = layer.weight_variance;
  check_order(like, x.sites);
  const MatrixXd mask = sight(like, x.sites, x.sites).mask;
  const Projections project{writer, like, name, x, x};
  const Width width(1, layer.heads);
  std::vector<BundleId> heads;
  for (int head = 0; head < layer.heads; ++head) {
    const BundleId key = builder.map(layer.feature, project("K", head, width));
    const BundleId query =
        layer.weights == "tied" ? key : builder.map(layer.feature, project("Q", head, width));
    TableId weights = builder.gram(key, query);
    if (mask.minCoeff() == 0) weights = builder.apply(netsor::Product{}, {weights, builder.constant(mask)});
    BundleId values = builder.mix(project("V", head, width), weights);
    if (layer.normalized) {
      const MatrixXd row = MatrixXd::Ones(1, mask.rows());
      const BundleId ones = builder.mix(builder.ones(), netsor::SparseMatrix(row.sparseView()));
      const TableId root = builder.apply(netsor::Rsqrt{}, {builder.mean(builder.mix(ones, weights))});
      values = builder.scale(values, builder.apply(netsor::Product{}, {root, root}));
    }
    heads.push_back(values);
  }
  return project.output(std::move(heads));
}

}  // namespace nngpcheck::architectures
