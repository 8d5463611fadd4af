#include "nngpcheck/compare/runs/network_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "nngpcheck/compare/statistics/ladders.hpp"
#include "nngpcheck/compare/statistics/metrics.hpp"

namespace nngpcheck::compare {

namespace {

constexpr Eigen::Index first_kernel = 1;

}  // namespace

std::vector<Eigen::Index> watched(Eigen::Index inputs) {
  const Eigen::Index count = std::min(inputs, most_watched);
  std::vector<Eigen::Index> result;
  for (Eigen::Index k = 0; k < count; ++k) result.push_back(k * inputs / count);
  return result;
}

NetworkColumns::NetworkColumns(Eigen::Index most_inputs)
    : watched_(std::min(most_inputs, most_watched)),
      first_output_(first_kernel + watched_ * (watched_ + 1) / 2) {}

std::vector<std::string> NetworkColumns::names() const {
  std::vector<std::string> result = {"relative_squared_error"};
  for (Eigen::Index j = 0; j < watched_; ++j) {
    for (Eigen::Index i = 0; i <= j; ++i) result.push_back(fmt::format("kernel_{}_{}", i, j));
  }
  for (Eigen::Index i = 0; i < watched_; ++i) result.push_back(fmt::format("output_{}", i));
  return result;
}

Eigen::RowVectorXd NetworkColumns::row(const Eigen::MatrixXd& sampled, const Eigen::VectorXd& outputs,
                                       const Eigen::MatrixXd& kernel) const {
  Eigen::RowVectorXd result =
      Eigen::RowVectorXd::Constant(first_output_ + watched_, std::numeric_limits<double>::quiet_NaN());
  result(0) = relative_squared_error(sampled, kernel);
  const std::vector<Eigen::Index> inputs = watched(kernel.rows());
  const Eigen::VectorXd entries = upper_triangle(sampled(inputs, inputs));
  result.segment(first_kernel, entries.size()) = entries.transpose();
  if (outputs.size() > 0) result.segment(first_output_, std::ssize(inputs)) = outputs(inputs).transpose();
  return result;
}

OutputSamples NetworkColumns::output_samples(std::int64_t width, const Eigen::MatrixXd& rows,
                                             Eigen::Index inputs) const {
  const auto count = std::ssize(watched(inputs));
  OutputSamples result{width, rows.middleCols(first_kernel, count * (count + 1) / 2),
                       rows.middleCols(first_output_, count)};
  if (result.outputs.hasNaN()) result.outputs.resize(0, 0);
  return result;
}

}  // namespace nngpcheck::compare
