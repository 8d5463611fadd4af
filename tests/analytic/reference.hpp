// Reference kernels from tests/data, and the inputs they were computed on.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "nngpcheck/inputs/read_inputs.hpp"

namespace nngpcheck::testing {

inline nlohmann::json read_json(const std::string& name) {
  std::ifstream file(std::string(NNGPCHECK_TEST_DATA) + "/" + name);
  if (!file) throw std::runtime_error("missing test data " + name);
  return nlohmann::json::parse(file);
}

inline Eigen::MatrixXd to_matrix(const nlohmann::json& rows) {
  Eigen::MatrixXd result(rows.size(), rows.at(0).size());
  for (Eigen::Index i = 0; i < result.rows(); ++i) {
    for (Eigen::Index j = 0; j < result.cols(); ++j) result(i, j) = rows.at(i).at(j).get<double>();
  }
  return result;
}

/// One case of sequence_kernels.json.
inline nlohmann::json sequence_case(const std::string& name) {
  const nlohmann::json table = read_json("sequence_kernels.json");
  for (const nlohmann::json& entry : table.at("cases")) {
    if (entry.at("name") == name) return entry;
  }
  throw std::runtime_error("no reference kernel " + name);
}

/// The two sentences, of 7 and 9 tokens, that sequence_kernels.json is about.
inline inputs::Inputs sentences() {
  return inputs::read_inputs(std::string(NNGPCHECK_TEST_DATA) + "/../../data/sentences.csv");
}

/// Plain vectors in general position, labelled "0", "1", …
inline inputs::Inputs vectors(Eigen::Index count, Eigen::Index dimension = 5) {
  inputs::Inputs inputs;
  inputs.data.resize(dimension, count);
  for (Eigen::Index j = 0; j < count; ++j) {
    for (Eigen::Index i = 0; i < dimension; ++i) {
      inputs.data(i, j) = std::sin(1.0 + 3.1 * static_cast<double>(i * count + j));
    }
    inputs.labels.push_back(std::to_string(j));
  }
  return inputs;
}

}  // namespace nngpcheck::testing
