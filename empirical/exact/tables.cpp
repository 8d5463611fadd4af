#include "nngpcheck/empirical/exact/tables.hpp"

#include <cmath>
#include <limits>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

namespace {

Eigen::MatrixXd softmax_keys(const netsor::SoftmaxKeys& function, const Eigen::MatrixXd& scores) {
  Eigen::MatrixXd result = scores;
  for (Eigen::Index query = 0; query < scores.cols(); ++query) {
    const auto visible = [&](Eigen::Index key) {
      return !function.mask || (*function.mask)(key, query) != 0;
    };
    double largest = -std::numeric_limits<double>::infinity();
    for (Eigen::Index key = 0; key < scores.rows(); ++key) {
      if (visible(key)) largest = std::max(largest, scores(key, query));
    }
    double total = 0;
    for (Eigen::Index key = 0; key < scores.rows(); ++key) {
      result(key, query) = visible(key) ? std::exp(scores(key, query) - largest) : 0.0;
      total += result(key, query);
    }
    result.col(query) /= total;
  }
  return result;
}

}  // namespace

Eigen::MatrixXd apply_table_function(const netsor::TableFunction& function,
                                     const std::vector<const Eigen::MatrixXd*>& arguments) {
  using Result = Eigen::MatrixXd;
  const Eigen::MatrixXd& first = *arguments.front();
  return std::visit(netsor::Overloaded{
                        [&](const netsor::SoftmaxKeys& f) { return softmax_keys(f, first); },
                        [&](const netsor::Rsqrt& f) -> Result {
                          return (first.array() + f.epsilon).sqrt().inverse().matrix();
                        },
                        [&](const netsor::Transpose&) -> Result { return first.transpose(); },
                        [&](const netsor::Diagonal&) -> Result { return first.diagonal().transpose(); },
                        [&](const netsor::Sum& f) {
                          Result result = Result::Zero(first.rows(), first.cols());
                          for (std::size_t k = 0; k < arguments.size(); ++k)
                            result += f.coefficients[k] * *arguments[k];
                          return result;
                        },
                        [&](const netsor::Product&) {
                          Result result = first;
                          for (std::size_t k = 1; k < arguments.size(); ++k)
                            result.array() *= arguments[k]->array();
                          return result;
                        },
                    },
                    function);
}

}  // namespace nngpcheck::empirical
