// A kernel over 2,000 inputs beside as many matrix products of that size, in one run:
//   limit_bench [inputs] [depth]
#include <Eigen/Dense>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/named/mlp.hpp"

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

nngpcheck::inputs::Inputs inputs(Eigen::Index count) {
  nngpcheck::inputs::Inputs result;
  result.data = Eigen::MatrixXd::Random(32, count) * 1.7;
  for (Eigen::Index j = 0; j < count; ++j) result.labels.push_back(std::to_string(j));
  return result;
}

double kernel_seconds(const char* activation, int depth, const nngpcheck::inputs::Inputs& data) {
  nngpcheck::architectures::MlpOptions options;
  options.depth = depth;
  options.activation = nngpcheck::netsor::Activation::named(activation);
  options.weight_variance = 2;
  const auto program = nngpcheck::architectures::mlp(options, data);
  const auto start = std::chrono::steady_clock::now();
  const auto limit = nngpcheck::analytic::limit(program);
  const double seconds = seconds_since(start);
  std::printf("%-8s depth %d: %7.2f s, error bound %.1e\n", activation, depth, seconds,
              limit.error_bound.maxCoeff());
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  const Eigen::Index count = argc > 1 ? std::atol(argv[1]) : 2000;
  const int depth = argc > 2 ? std::atoi(argv[2]) : 10;
  const auto data = inputs(count);
  const Eigen::MatrixXd a = Eigen::MatrixXd::Random(count, count);
  Eigen::MatrixXd b = a;
  const auto start = std::chrono::steady_clock::now();
  for (int k = 0; k < depth; ++k) b = (a * b / static_cast<double>(count)).eval();
  const double products = seconds_since(start);
  std::printf("%d products of %ld×%ld matrices (Eigen): %.2f s (checksum %.3g)\n", depth,
              static_cast<long>(count), static_cast<long>(count), products, b.sum());
  const double relu = kernel_seconds("relu", depth, data);
  const double tanh = kernel_seconds("tanh", depth, data);
  std::printf("relu / products: %.2f\ntanh / relu: %.2f\n", relu / products, tanh / relu);
}
