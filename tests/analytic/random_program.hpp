// Random programs in which every rule of the limit has something to do.
#pragma once

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "nngpcheck/netsor/builder.hpp"

namespace nngpcheck::testing {

/// Writes one program, determined by its seed. Gaussian arguments of nonlinear functions are in general
/// position, so that every covariance can be moved in every direction.
class RandomProgram {
 public:
  explicit RandomProgram(unsigned seed) : random_(seed) {}

  netsor::Program make() {
    const bool wide = pick(8) == 0;  // paths that entries share
    columns_ = wide ? 4 : 2 + pick(2);
    const Eigen::MatrixXd data = Eigen::MatrixXd::NullaryExpr(5, columns_, [&] { return normal_(random_); });
    input_ = builder_.input(builder_.input_weight({"U", {}, 5, 1.5}), data);
    if (pick(2) == 0) input_ = with_bias(*input_);
    layers_.push_back(nonlinear(*input_));
    if (wide) layers_.push_back(recurrence(layers_.back()));
    for (int depth = 1 + pick(2); depth > 0; --depth) layers_.push_back(layer());
    std::vector<netsor::Add::Term> terms;
    for (const netsor::BundleId x : layers_) terms.push_back({0.5 + uniform_(random_), x});
    builder_.output(builder_.readout({"v", 1}), pick(2) == 0 ? layers_.back() : builder_.add(terms));
    return std::move(builder_).build();
  }

 private:
  int pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }
  netsor::BundleId any() { return layers_[static_cast<std::size_t>(pick(static_cast<int>(layers_.size())))]; }
  std::string fresh(const char* prefix) { return prefix + std::to_string(++names_); }

  netsor::Activation activation() {
    static const std::vector<const char*> names = {"relu",    "erf",  "tanh",    "gelu",           "abs",
                                                   "sin",     "step", "sigmoid", "leaky_relu_0.2", "hardtanh",
                                                   "gaussian"};
    return netsor::Activation::named(names[static_cast<std::size_t>(pick(static_cast<int>(names.size())))]);
  }

  netsor::BundleId with_bias(netsor::BundleId x) {
    const netsor::BundleId bias =
        builder_.column(builder_.bias({fresh("b"), {}, 0.3, pick(2) == 0 ? 0.0 : 0.4}));
    return builder_.add(x, bias);
  }

  /// W x, with a bias or the mean of another bundle. W may have been used before, where x and what it was
  /// used on are no linear combinations of each other.
  netsor::BundleId gaussian(netsor::BundleId x, bool is_layer) {
    const bool tied = weight_ && is_layer && pick(2) == 0 && !(x == last_argument_);
    if (!tied) weight_ = builder_.weight({fresh("W"), {}, {}, 1.2});
    const netsor::WeightId weight = *weight_;
    if (tied || !is_layer) weight_.reset();
    last_argument_ = x;
    netsor::BundleId result = builder_.matmul(weight, x);
    if (pick(3) == 0) result = with_bias(result);
    if (pick(3) == 0) result = builder_.add(result, builder_.mix(builder_.ones(), builder_.mean(any())));
    return result;
  }

  netsor::BundleId nonlinear(netsor::BundleId g) {
    switch (pick(6)) {
      case 0: {
        std::vector<int> groups(static_cast<std::size_t>(columns_), 0);
        const netsor::BundleId y = builder_.standardize(g, groups, 0.2);
        return pick(3) == 0 ? builder_.map(netsor::Activation::named("tanh"), y)
                            : builder_.map(netsor::Activation::named("relu"), y);
      }
      case 1:
        return builder_.max(g, builder_.map(netsor::Activation::named("tanh"), g));
      default:
        return builder_.map(activation(), g);
    }
  }

  netsor::BundleId random_mix(netsor::BundleId x) {
    const Eigen::MatrixXd matrix =
        Eigen::MatrixXd::NullaryExpr(columns_, columns_, [&] { return 0.5 * normal_(random_); });
    return builder_.mix(x, netsor::SparseMatrix(matrix.sparseView()));
  }

  /// Two steps h ← (z ⊙ h + (1 - z) ⊙ φ(V h)) M, z = sigmoid(W h), with tied weights.
  netsor::BundleId recurrence(netsor::BundleId h) {
    const netsor::WeightId w = builder_.weight({fresh("W"), {}, {}, 1}),
                           v = builder_.weight({fresh("V"), {}, {}, 1});
    for (int t = 0; t < 2; ++t) {
      const netsor::BundleId z = builder_.map(netsor::Activation::named("sigmoid"), builder_.matmul(w, h));
      const netsor::BundleId c = builder_.map(netsor::Activation::named("tanh"), builder_.matmul(v, h));
      h = random_mix(builder_.add({{1, builder_.mul(z, h)}, {1, c}, {-1, builder_.mul(z, c)}}));
    }
    return h;
  }

  /// Tables: a layer norm, attention, or a constant mix.
  netsor::BundleId mixed(netsor::BundleId x) {
    has_tables_ = true;
    const netsor::TableId gram = builder_.gram(x, any());
    switch (pick(5)) {
      case 0: {
        const netsor::TableId squares = builder_.apply(netsor::Diagonal{}, {builder_.gram(x, x)});
        return builder_.scale(x, builder_.apply(netsor::Rsqrt{0.1}, {squares}));
      }
      case 1:
        return builder_.mix(x, builder_.apply(netsor::SoftmaxKeys{}, {gram}));
      case 2: {
        const netsor::TableId sum = builder_.apply(
            netsor::Sum{{0.4, -0.3}}, {builder_.apply(netsor::Transpose{}, {gram}),
                                       builder_.constant(Eigen::MatrixXd::Identity(columns_, columns_))});
        return builder_.mix(x, builder_.apply(netsor::Product{}, {sum, gram}));
      }
      case 3:
        return random_mix(x);
      default:
        return builder_.add({{1, x}, {-1, builder_.mix(builder_.ones(), builder_.mean(x))}});
    }
  }

  netsor::BundleId layer() {
    const bool is_layer = pick(2) == 0;
    const netsor::BundleId x = is_layer ? any() : mixed(any());
    const netsor::BundleId g = gaussian(x, is_layer);
    switch (pick(5)) {
      case 0:  // independent factors
        return builder_.mul(
            builder_.map(activation(), g),
            builder_.map(activation(), builder_.matmul(builder_.weight({fresh("V"), {}, {}, 1}), x)));
      case 1: {  // a gate
        const netsor::BundleId z = builder_.map(netsor::Activation::named("sigmoid"), g);
        const netsor::BundleId candidate =
            builder_.map(activation(), builder_.matmul(builder_.weight({fresh("V"), {}, {}, 1}), x));
        const netsor::BundleId state =
            builder_.add({{1, builder_.mul(z, candidate)}, {1, x}, {-1, builder_.mul(z, x)}});
        return builder_.map(netsor::Activation::named(!has_tables_ && pick(2) == 0 ? "step" : "tanh"), state);
      }
      case 2:  // a factor of mean 0 on its own
        return builder_.mul(builder_.map(activation(), g),
                            builder_.matmul(builder_.weight({fresh("V"), {}, {}, 1}), x));
      default:
        return nonlinear(g);
    }
  }

  std::mt19937 random_;
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> uniform_;
  netsor::Builder builder_;
  int columns_ = 0, names_ = 0;
  bool has_tables_ = false;  // there is no derivative of a jump in them, only of its expectation
  std::optional<netsor::BundleId> input_;
  std::vector<netsor::BundleId> layers_;
  std::optional<netsor::WeightId> weight_;
  std::optional<netsor::BundleId> last_argument_;
};

}  // namespace nngpcheck::testing
