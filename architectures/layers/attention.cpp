// Attention.
#include <cmath>
#include <map>

#include "nngpcheck/architectures/layers/coordinate_softmax.hpp"
#include "nngpcheck/architectures/layers/sight.hpp"
#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using Eigen::MatrixXd;
using netsor::BundleId;
using netsor::TableId;
using netsor::Width;

namespace {

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
  if (sees.added.any()) {
    scores = builder.apply(netsor::Sum{{1 / layer.temperature, 1}}, {scores, builder.constant(sees.added)});
  } else if (layer.temperature != 1) {
    scores = builder.apply(netsor::Sum{{1 / layer.temperature}}, {scores});
  }
  return builder.apply(netsor::SoftmaxKeys{shared_mask(sees.mask)}, {scores});
}

[[noreturn]] void fail(const std::string& problem, const char* key) { throw ArchitectureError(problem, key); }

void check_scaling(const SelfAttention& layer) {
  const bool fixed = layer.head_size > 0,
             of_size = layer.scaling == Scaling::sqrt_d || layer.scaling == Scaling::d;
  if (layer.scaling == Scaling::sqrt_n || (of_size && !fixed)) {
    fail(
        "scaling = \"" + std::string(word(layer.scaling)) +
            "\": such scores have no deterministic limit in heads whose width grows with n (with separate "
            "queries and keys they stay random, with tied ones they diverge), and the theorem does not cover "
            "them; take \"1/n\", or heads of a fixed size: head_size = 4 with \"1/sqrt(d)\" or \"1/d\"",
        "scaling");
  }
  if (fixed && !of_size) {
    fail("scaling = \"1/n\" divides by the width of a head, and head_size = " +
             std::to_string(layer.head_size) + " fixes it; take \"1/sqrt(d)\" or \"1/d\"",
         "scaling");
  }
}

void check_heads(const SelfAttention& layer) {
  if (layer.head_size > 0 && layer.key_value_heads > 0) {
    fail("key_value_heads = " + std::to_string(layer.key_value_heads) +
             ": so many keys of size d stay random as n/d heads of queries grow, and there is no "
             "deterministic "
             "limit; let so many heads share keys: queries_per_key",
         "key_value_heads");
  }
  if (layer.head_size > 0 && layer.heads != 1) {
    fail("head_size = " + std::to_string(layer.head_size) + " makes n/head_size heads; leave out heads",
         "head_size");
  }
  if (layer.key_value_heads > 0 && layer.heads % layer.key_value_heads != 0) {
    fail("key_value_heads = " + std::to_string(layer.key_value_heads) +
             " does not divide heads = " + std::to_string(layer.heads),
         "key_value_heads");
  }
  if (layer.head_size % 2 != 0 && layer.rotary_base > 0) {
    fail("rotary_base turns pairs of coordinates; give an even head_size", "rotary_base");
  }
  if (layer.head_size > 0) return;
  if (layer.queries_per_key > 1) {
    fail("queries_per_key is of n/d heads; give a head_size, or heads and key_value_heads",
         "queries_per_key");
  }
  if (layer.relative_bias_variance > 0) {
    fail(
        "relative_bias_variance: random numbers of a fixed number of heads stay random, and there is no "
        "deterministic limit; give them as relative_bias, or n/d heads: head_size",
        "relative_bias_variance");
  }
  if (layer.rotary_base > 0) {
    fail("rotary_base turns the coordinates of heads of a fixed size; give a head_size, or relative_bias",
         "rotary_base");
  }
}

void check_weights(const SelfAttention& layer) {
  if (layer.weights == AttentionWeights::none &&
      (layer.heads != 1 || layer.head_size > 0 || layer.bias_variance > 0)) {
    fail("heads = " + std::to_string(layer.heads) +
             " with weights = \"none\": heads, head_size and bias_variance are of weights; leave them out",
         "heads");
  }
  for (const auto& [key, given] : {std::pair("query_variance", layer.query_variance),
                                   {"query_bias_variance", layer.query_bias_variance},
                                   {"key_variance", layer.key_variance},
                                   {"key_bias_variance", layer.key_bias_variance},
                                   {"value_variance", layer.value_variance},
                                   {"value_bias_variance", layer.value_bias_variance},
                                   {"output_variance", layer.output_variance},
                                   {"output_bias_variance", layer.output_bias_variance}}) {
    const bool of_queries = std::string(key).starts_with("query");
    if (!given || layer.weights == AttentionWeights::separate ||
        (layer.weights == AttentionWeights::tied && !of_queries))
      continue;
    fail(std::string(key) + " with weights = \"" + word(layer.weights) + "\": " +
             (layer.weights == AttentionWeights::none ? "there are no weights" : "queries are the keys") +
             "; leave it out",
         key);
  }
}

void check_options(const SelfAttention& layer) {
  check_scaling(layer);
  check_heads(layer);
  check_weights(layer);
}

// The variances of the matrix and the bias of that letter.
struct Variances {
  double weight, bias;
};

Variances variances(const SelfAttention& layer, char letter) {
  const auto given = [&](const std::optional<double>& weight, const std::optional<double>& bias) {
    return Variances{weight.value_or(layer.weight_variance), bias.value_or(layer.bias_variance)};
  };
  switch (letter) {
    case 'Q':
      return given(layer.query_variance, layer.query_bias_variance);
    case 'K':
      return given(layer.key_variance, layer.key_bias_variance);
    case 'V':
      return given(layer.value_variance, layer.value_bias_variance);
    default:
      return given(layer.output_variance, layer.output_bias_variance);
  }
}

// A layer's projections, and its output.
struct Projections {
  Writer& writer;
  const SelfAttention& layer;
  const std::string& name;
  const Signal& queries;
  const Signal& memory;

  BundleId operator()(char letter, int number, Width width) const {
    const Signal& x = letter == 'Q' ? queries : memory;
    const std::string numbered = letter + std::to_string(number);
    const Variances of = variances(layer, letter);
    const BundleId product = writer.linear(x, name + "." + numbered, width, of.weight);
    return writer.add_bias(product, name + ".b" + numbered, of.bias);
  }
  Signal output(std::vector<BundleId> heads) const {
    const Signal all{std::nullopt, std::move(heads), queries.sites};
    const Variances of = variances(layer, 'O');
    const BundleId product = writer.linear(all, name + ".O", {}, of.weight);
    return {std::nullopt, {writer.add_bias(product, name + ".bO", of.bias)}, queries.sites};
  }
};

Signal wide_heads(const Projections& project, const Sight& sees) {
  const SelfAttention& layer = project.layer;
  const Width width(1, layer.heads);
  const int shared = layer.key_value_heads == 0 ? 1 : layer.heads / layer.key_value_heads;
  std::vector<BundleId> result;
  for (int head = 0; head < layer.heads; ++head) {
    const BundleId key = project('K', head / shared, width);
    const BundleId query = layer.weights == AttentionWeights::tied ? key : project('Q', head, width);
    const TableId weights = softmax(project.writer, layer, sees, {key}, {query});
    result.push_back(project.writer.builder().mix(project('V', head / shared, width), weights));
  }
  return project.output(std::move(result));
}

// x, one vector for each coordinate of a head, turned by the angles of their positions.
std::vector<BundleId> turned(Writer& writer, std::vector<BundleId> x, double base, const Sites& sites) {
  if (base == 0) return x;
  netsor::Builder& builder = writer.builder();
  const std::size_t half = x.size() / 2;
  for (std::size_t i = 0; i < half; ++i) {
    const double step = std::pow(base, -static_cast<double>(i) / static_cast<double>(half));
    netsor::SparseMatrix cosine(sites.columns(), sites.columns()), sine(sites.columns(), sites.columns());
    for (Index s = 0; s < sites.samples(); ++s) {
      for (Index p = 0; p < sites.size(s); ++p) {
        const Index column = sites.first(s) + p;
        cosine.insert(column, column) = std::cos(static_cast<double>(p) * step);
        sine.insert(column, column) = std::sin(static_cast<double>(p) * step);
      }
    }
    const BundleId a = x[i], b = x[i + half];
    x[i] = builder.add({{1, builder.mix(a, cosine)}, {-1, builder.mix(b, sine)}});
    x[i + half] = builder.add(builder.mix(a, sine), builder.mix(b, cosine));
  }
  return x;
}

// Heads of a fixed size, coordinatewise.
class FixedHeads {
 public:
  FixedHeads(const Projections& project, const Sight& sees)
      : project_(project),
        layer_(project.layer),
        builder_(project.writer.builder()),
        pairs_(sees.mask),
        sees_(sees),
        width_(1, std::int64_t{layer_.head_size} * layer_.queries_per_key),
        keys_(coordinates('K', 0)) {}

  Signal output() const {
    const netsor::SparseMatrix sum = pairs_.sum();
    std::vector<BundleId> values, result;
    for (int i = 0; i < layer_.head_size; ++i)
      values.push_back(builder_.select(project_('V', i, width_), pairs_.keys));
    for (int j = 0; j < layer_.queries_per_key; ++j) {
      const BundleId weights = softmax(builder_, scores(j), pairs_);
      for (const BundleId value : values) result.push_back(builder_.mix(builder_.mul(weights, value), sum));
    }
    return project_.output(std::move(result));
  }

 private:
  // Those of the j-th heads, turned.
  std::vector<BundleId> coordinates(char letter, int j) const {
    const Signal& x = letter == 'Q' ? project_.queries : project_.memory;
    std::vector<BundleId> result;
    for (int i = 0; i < layer_.head_size; ++i)
      result.push_back(project_(letter, j * layer_.head_size + i, width_));
    return turned(project_.writer, std::move(result), layer_.rotary_base, x.sites);
  }

  BundleId scores(int j) const {
    const auto size = static_cast<double>(layer_.head_size);
    const double scale = 1 / ((layer_.scaling == Scaling::d ? size : std::sqrt(size)) * layer_.temperature);
    const std::vector<BundleId> queries =
        layer_.weights == AttentionWeights::tied ? keys_ : coordinates('Q', j);
    std::vector<netsor::Add::Term> terms;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      terms.push_back({scale, builder_.mul(builder_.select(keys_[i], pairs_.keys),
                                           builder_.select(queries[i], pairs_.queries))});
    }
    MatrixXd given(1, pairs_.count());
    for (Index p = 0; p < pairs_.count(); ++p) given(0, p) = sees_.added(key(p), query(p));
    if (given.any())
      terms.push_back({1, builder_.mix(builder_.ones(width_), netsor::SparseMatrix(given.sparseView()))});
    if (layer_.relative_bias_variance > 0) add_relative(terms, j);
    return builder_.add(std::move(terms));
  }

  void add_relative(std::vector<netsor::Add::Term>& terms, int j) const {
    std::map<Index, MatrixXd> rows;  // by k - q, 1 where it is so much
    for (Index p = 0; p < pairs_.count(); ++p) {
      MatrixXd& row = rows.try_emplace(key(p) - query(p), MatrixXd::Zero(1, pairs_.count())).first->second;
      row(0, p) = 1;
    }
    for (const auto& [difference, row] : rows) {
      const std::string name = project_.name + ".R[" + std::to_string(difference) + "]" +
                               Writer::output_suffix(j, layer_.queries_per_key);
      const BundleId bias = project_.writer.bias(name, width_, layer_.relative_bias_variance);
      terms.push_back({1, builder_.mix(bias, netsor::SparseMatrix(row.sparseView()))});
    }
  }

  Index key(Index pair) const { return pairs_.keys[static_cast<std::size_t>(pair)]; }
  Index query(Index pair) const { return pairs_.queries[static_cast<std::size_t>(pair)]; }

  const Projections& project_;
  const SelfAttention& layer_;
  netsor::Builder& builder_;
  Pairs pairs_;
  const Sight& sees_;
  Width width_;
  std::vector<BundleId> keys_;
};

Signal attend(const Projections& project) {
  Writer& writer = project.writer;
  Writer::refuse_data(project.queries);
  Writer::refuse_data(project.memory);
  check_options(project.layer);
  const Sight sees = sight(project.layer, project.queries.sites, project.memory.sites);
  if (project.layer.head_size > 0) return FixedHeads(project, sees).output();
  if (project.layer.weights != AttentionWeights::none) return wide_heads(project, sees);
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
  refuse_order(layer);
  if (layer.weights == AttentionWeights::none) {
    throw ArchitectureError(
        "weights = \"none\": queries and keys are different vectors; take \"separate\" or \"tied\"",
        "weights");
  }
  if (layer.weights == AttentionWeights::tied) {
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
    const BundleId key = builder.map(layer.feature, project('K', head, width));
    const BundleId query =
        layer.weights == AttentionWeights::tied ? key : builder.map(layer.feature, project('Q', head, width));
    TableId weights = builder.gram(key, query);
    if (mask.minCoeff() == 0) weights = builder.apply(netsor::Product{}, {weights, builder.constant(mask)});
    BundleId values = builder.mix(project('V', head, width), weights);
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
