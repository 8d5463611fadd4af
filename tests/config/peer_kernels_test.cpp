// Kernels that neural-tangents computes, by tests/data/generate_peer_kernels.py: every one of them, and where
// the peer is another, the right one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::config {
namespace {

constexpr double tolerance = 1e-10;

const nlohmann::json& peer() {
  static const nlohmann::json result =
      nlohmann::json::parse(std::ifstream(NNGPCHECK_TEST_DATA "/peer_kernels.json"));
  return result;
}

inputs::Inputs inputs_called(const std::string& name) {
  const nlohmann::json& given = peer().at("inputs").at(name);
  const auto& columns = given.at("columns");
  inputs::Inputs result;
  result.grid = given.at("grid").get<std::vector<Eigen::Index>>();
  result.data.resize(std::ssize(columns.at(0)), std::ssize(columns));
  for (Eigen::Index j = 0; j < result.data.cols(); ++j) {
    for (Eigen::Index i = 0; i < result.data.rows(); ++i)
      result.data(i, j) =
          columns.at(static_cast<std::size_t>(j)).at(static_cast<std::size_t>(i)).get<double>();
    result.labels.push_back(std::to_string(j));
  }
  return result;
}

analytic::Limit our_kernel(const nlohmann::json& one) {
  const Model model = architecture_from_json({{"layers", one.at("layers")}}, "the case");
  return analytic::limit(architectures::program(model.network, inputs_called(one.at("inputs"))));
}

/// The largest difference, relative to √(K_aa K_bb), to a triangle that is listed by rows, beyond six of our
/// standard errors, if there are any. Infinite where there is no number.
double largest_difference(const analytic::Limit& ours, const nlohmann::json& triangle) {
  const Eigen::MatrixXd& k = ours.value;
  double result = 0;
  auto theirs = triangle.begin();
  for (Eigen::Index a = 0; a < k.rows(); ++a) {
    for (Eigen::Index b = a; b < k.cols(); ++b, ++theirs) {
      const double off = theirs->is_null() ? INFINITY : std::abs(k(a, b) - theirs->get<double>());
      result = std::max(result, (off - 6 * ours.standard_error(a, b)) / std::sqrt(k(a, a) * k(b, b)));
    }
  }
  EXPECT_EQ(theirs, triangle.end());
  return result;
}

TEST(PeerKernels, AreOurs) {
  const auto& cases = peer().at("cases");
  EXPECT_GE(cases.size(), 300U);
  for (const nlohmann::json& one : cases)
    EXPECT_LE(largest_difference(our_kernel(one), one.at("kernel")), tolerance) << one.at("name");
}

TEST(PeerKernels, AreNotThoseOfOtherLayers) {
  nlohmann::json one = peer().at("cases").at(0);
  one.at("layers").at(0).at("weight_variance") = 1 + 1e-8;
  EXPECT_GT(largest_difference(our_kernel(one), one.at("kernel")), tolerance);
}

// The right kernel is computed by the generator, without either library.
TEST(PeerKernels, WhereThePeerIsAnotherOursIsRight) {
  for (const nlohmann::json& one : peer().at("disagreements")) {
    const analytic::Limit ours = our_kernel(one);
    EXPECT_LE(largest_difference(ours, one.at("kernel")), tolerance) << one.at("name");
    EXPECT_GT(largest_difference(ours, one.at("peer")), 100 * tolerance) << one.at("why");
  }
}

}  // namespace
}  // namespace nngpcheck::config
