// Files that are programs: the examples of the text language are the architectures that they say they are.
#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/config/experiment.hpp"
#include "nngpcheck/files/npy.hpp"
#include "tests/analytic/z_scores.hpp"
#include "tests/input_error.hpp"

namespace nngpcheck::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

analytic::Limit limit_of_example(const std::string& name) {
  const std::filesystem::path file = std::filesystem::path(NNGPCHECK_EXAMPLES) / (name + ".netsor");
  return analytic::limit(read_experiments(file)[0].program);
}

/// Of an architecture on the inputs of `nngpcheck show`, of which these outputs are kept.
analytic::Limit limit_of_architecture(const std::string& name, const std::vector<Eigen::Index>& kept,
                                      const std::vector<std::string>& options = {}) {
  return analytic::limit(example_experiment(name, options).program, kept, kept);
}

void expect_equal(const analytic::Limit& example, const analytic::Limit& architecture) {
  ASSERT_EQ(example.value.rows(), architecture.value.rows());
  EXPECT_EQ(example.standard_error.maxCoeff(), 0);
  EXPECT_LT((example.value - architecture.value).cwiseAbs().maxCoeff(), 1e-12);
}

const std::vector<Eigen::Index> all = {0, 1, 2, 3, 4}, first_sequence = {0, 1, 2};

TEST(Examples, SimpleRnn) {
  const analytic::Limit example = limit_of_example("simple_rnn");
  expect_equal(example, limit_of_architecture("simple_rnn", all, {"architecture.bias_variance=0.1"}));
  EXPECT_EQ(example.labels, limit_of_architecture("simple_rnn", all).labels);
  EXPECT_GT((example.value - limit_of_architecture("simple_rnn", all).value).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Examples, BatchNorm) {
  expect_equal(limit_of_example("batch_norm"),
               limit_of_architecture("batchnorm_mlp", all, {"architecture.depth=2"}));
}

TEST(Examples, Transformer) {
  expect_equal(limit_of_example("transformer"), limit_of_architecture("transformer", first_sequence));
}

TEST(Examples, GruWithinItsErrors) {
  const analytic::Limit example = limit_of_example("gru"),
                        right = limit_of_architecture("gru", first_sequence),
                        wrong = limit_of_architecture("gru", first_sequence,
                                                      {"architecture.weight_variance=1.05"});
  EXPECT_LT(testing::largest_z(example, right.value, right.standard_error), testing::quantile(9));
  EXPECT_GT(testing::largest_z(example, wrong.value, wrong.standard_error), testing::quantile(9));
}

class ProgramFile : public Scratch {};

const std::string text =
    "Input: U : A(n, 70), iid N(0, 1/70)\nMatrix: D := \"d.npy\"\ng := U D\nx := relu(g)\nOutput: vᵀ x / √n, "
    "v ~ N(0, 1)\n";

TEST_F(ProgramFile, NamesFilesBesideItself) {
  write("d.npy", files::npy_bytes(Eigen::MatrixXd::Constant(70, 1, 2)));
  const Experiment one =
      read_experiments(write("my net.netsor", text), {"sweep.widths=[8]", "sweep.networks=5"})[0];
  EXPECT_EQ(one.name, "my_net");
  EXPECT_THAT(one.sweep->widths, ElementsAre(8));
  EXPECT_NEAR(analytic::limit(one.program).value(0, 0), 2, 1e-12);
  const std::string before = one.resolved.at("program").at("fingerprint");
  write("d.npy", files::npy_bytes(Eigen::MatrixXd::Constant(70, 1, 3)));
  EXPECT_NE(read_experiments(folder_ / "my net.netsor")[0].resolved.at("program").at("fingerprint"), before);
}

TEST_F(ProgramFile, WithMistakesIsRefused) {
  EXPECT_THAT(error_of([&] { read_experiments(write("p.netsor", text)); }), HasSubstr("d.npy: no such file"));
  EXPECT_THAT(error_of([&] { read_experiments(write("p.netsor", "x := relu(y)\n")); }),
              HasSubstr("p.netsor:1:11: there is no y before this line"));
  write("d.npy", files::npy_bytes(Eigen::MatrixXd::Constant(70, 1, 2)));
  EXPECT_THAT(error_of([&] { read_experiments(write("p.netsor", text), {"architecture.depth=2"}); }),
              HasSubstr("architecture"));
}

}  // namespace
}  // namespace nngpcheck::config
