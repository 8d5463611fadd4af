// Random kernels of known law, in place of networks.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

/// 1, or 1 + SEED with --gtest_random_seed=SEED.
inline std::uint64_t seed() { return 1 + static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)); }

/// K_ij = s_i s_j (0.9 exp(−(i − j)²/18) + 0.1 δ_ij) with 1 ≤ s² ≤ 2: entries of it are strongly correlated.
inline Eigen::MatrixXd smooth_kernel(Eigen::Index size) {
  Eigen::MatrixXd result(size, size);
  for (Eigen::Index i = 0; i < size; ++i) {
    for (Eigen::Index j = 0; j < size; ++j) {
      const auto distance = static_cast<double>(i - j), last = static_cast<double>(size);
      const double scale =
          std::sqrt((1 + static_cast<double>(i) / last) * (1 + static_cast<double>(j) / last));
      result(i, j) = scale * (0.9 * std::exp(-distance * distance / 18) + (i == j ? 0.1 : 0));
    }
  }
  return result;
}

/// The kernels of linear networks of two layers: K̂ = (1 + bias(n)) L A₁ A₂ A₂ᵀ A₁ᵀ Lᵀ, where K = LLᵀ and
/// A_i A_iᵀ is the mean of n outer products of Gaussian vectors, drawn by Bartlett's decomposition. E K̂ is
/// (1 + bias(n))K; the fluctuations are products of Gaussians.
class LinearNetworks {
 public:
  LinearNetworks(const Eigen::MatrixXd& kernel, std::uint64_t seed)
      : root_(Eigen::LLT<Eigen::MatrixXd>(kernel).matrixL()), random_(seed) {}

  /// Of width n; the default is none.
  std::function<double(double)> bias = [](double) { return 0.; };
  /// What becomes of a network's kernel.
  std::function<void(Eigen::MatrixXd&, double width)> then;

  Ladders operator()(const LadderRequest& request) {
    requests.push_back(request);
    Ladders result{request.widths, {}};
    const Eigen::Index size = root_.rows();
    for (const std::int64_t width : request.widths) {
      const auto n = static_cast<double>(width);
      const Eigen::Index seen = request.inputs.empty() ? size : std::ssize(request.inputs);
      Eigen::MatrixXd kernels(request.count, seen * (seen + 1) / 2);
      for (Eigen::Index i = 0; i < kernels.rows(); ++i) {
        const Eigen::MatrixXd first = root_ * bartlett(n);
        const Eigen::MatrixXd second = first * bartlett(n);
        Eigen::MatrixXd kernel = (1 + bias(n)) * (second * second.transpose());
        if (then) then(kernel, n);
        if (!request.inputs.empty()) kernel = Eigen::MatrixXd(kernel(request.inputs, request.inputs));
        kernels.row(i) = upper_triangle(kernel);
      }
      result.kernels.push_back(std::move(kernels));
      const double draw = seconds_per_draw + seconds_per_width * n * static_cast<double>(request.count);
      seconds += clock_noise == 0 ? draw : draw * (1 + clock_noise * (2 * uniform() - 1));
    }
    return result;
  }

  DrawLadders draw() {
    return [this](const LadderRequest& request) { return (*this)(request); };
  }

  double normal() { return normal_(random_); }
  double uniform() { return std::uniform_real_distribution<double>()(random_); }

  std::vector<LadderRequest> requests;
  /// That drawing takes so far, at this much for each network and unit of width, and for each draw; off by up
  /// to that share.
  double seconds = 0, seconds_per_width = 0, seconds_per_draw = 0, clock_noise = 0;

 private:
  Eigen::MatrixXd bartlett(double n) {
    Eigen::MatrixXd result = Eigen::MatrixXd::Zero(root_.rows(), root_.rows());
    for (Eigen::Index j = 0; j < result.cols(); ++j) {
      const double degrees = n - static_cast<double>(j);
      result(j, j) = std::sqrt(2 * std::gamma_distribution<double>(degrees / 2)(random_) / n);
      for (Eigen::Index i = j + 1; i < result.rows(); ++i) result(i, j) = normal() / std::sqrt(n);
    }
    return result;
  }

  Eigen::MatrixXd root_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

/// As many and as wide networks as a program would give, at no time.
inline CheckOptions untimed() {
  CheckOptions result;
  result.largest_width = std::int64_t{1} << 20;
  result.clock = [] { return 0.; };
  return result;
}

/// K̂ + 3 n^(1/α − 1) S K with S symmetric α-stable, α = 1.5 (Chambers, Mallows, Stuck): the law of means of n
/// numbers of infinite variance.
inline void make_heavy(LinearNetworks& networks, const Eigen::MatrixXd& truth) {
  networks.then = [&networks, truth](Eigen::MatrixXd& kernel, double n) {
    constexpr double alpha = 1.5;
    const double angle = M_PI * (networks.uniform() - 0.5), wait = -std::log(1 - networks.uniform());
    const double stable = std::sin(alpha * angle) / std::pow(std::cos(angle), 1 / alpha) *
                          std::pow(std::cos((1 - alpha) * angle) / wait, (1 - alpha) / alpha);
    kernel += 3 * std::pow(n, 1 / alpha - 1) * stable * truth;
  };
}

}  // namespace nngpcheck::compare
