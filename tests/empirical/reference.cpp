#include "tests/empirical/reference.hpp"

#include <cmath>
#include <span>
#include <string>

#include "nngpcheck/empirical/random/normals.hpp"
#include "tests/netsor/interpreter.hpp"

namespace nngpcheck::testing {

namespace {

Eigen::MatrixXd draw(const Network& network, const std::string& name, Eigen::Index rows, Eigen::Index columns,
                     double mean, double variance) {
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> result(rows, columns);
  empirical::NormalStream(network.seed, network.width, network.index, name)
      .fill(0, std::span(result.data(), static_cast<std::size_t>(result.size())));
  return mean + std::sqrt(variance) * result.array();
}

Weights draw(const netsor::Program& program, const Network& network) {
  Weights result;
  const std::int64_t n = network.width;
  for (const netsor::InputWeight& u : program.input_weights()) {
    result[u.name] =
        draw(network, u.name, u.width.at(n), u.inputs, 0, u.variance / static_cast<double>(u.inputs));
  }
  for (const netsor::Weight& w : program.weights()) {
    const Eigen::Index columns = w.columns.at(n);
    result[w.name] =
        draw(network, w.name, w.rows.at(n), columns, 0, w.variance / static_cast<double>(columns));
  }
  for (const netsor::Bias& b : program.biases()) {
    result[b.name] = draw(network, b.name, b.width.at(n), 1, b.mean, b.variance);
  }
  return result;
}

}  // namespace

Eigen::MatrixXd reference_outputs(const netsor::Program& program, const Network& network) {
  return outputs(program, draw(program, network), network.width);
}

Eigen::MatrixXd reference_kernel(const netsor::Program& program, const Network& network) {
  const Eigen::MatrixXd x = reference_outputs(program, network);
  return program.readout().variance / static_cast<double>(x.rows()) * (x.transpose() * x);
}

double relative_difference(const Eigen::MatrixXd& value, const Eigen::MatrixXd& reference) {
  return (value - reference).cwiseAbs().maxCoeff() / reference.cwiseAbs().maxCoeff();
}

}  // namespace nngpcheck::testing
