// One suite for all architectures: limit, samples, twin and printer agree on what a network is.
#include <gmock/gmock.h>

#include <Eigen/Eigenvalues>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <limits>
#include <set>

#include "analytic/limit.hpp"
#include "architectures/registry.hpp"
#include "empirical/sampler.hpp"
#include "empirical/twin.hpp"
#include "netsor/printer.hpp"
#include "tests/conformance/cases.hpp"
#include "tests/empirical/values.hpp"

namespace nngpcheck {
namespace {

using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using testing::Case;

constexpr double false_alarm = 1e-6;  // of one architecture's comparison, over all entries

double tail(Index entries) { return false_alarm / (2.0 * static_cast<double>(entries)); }

// Of the limit's 16 randomizations, Bonferroni over the entries.
double student_quantile(Index entries) {
  return boost::math::quantile(boost::math::complement(boost::math::students_t(15), tail(entries)));
}

struct Mean {
  ArrayXXd value, error;
};

Mean sample_mean(const netsor::Program& program, std::int64_t width, std::uint64_t networks) {
  const Index m = program.outputs();
  ArrayXXd sum = ArrayXXd::Zero(m, m), squares = sum;
  empirical::Sampler(program).sample(width, 7, 0, networks, [&](std::uint64_t, const MatrixXd& kernel) {
    sum += kernel.array();
    squares += kernel.array().square();
  });
  const auto count = static_cast<double>(networks);
  const ArrayXXd mean = sum / count;
  return {mean, ((squares / count - mean.square()) / (count - 1)).max(0).sqrt()};
}

class Conformance : public ::testing::TestWithParam<Case> {
 protected:
  const netsor::Program program_ = architectures::program(GetParam().network, GetParam().inputs);
};

TEST_P(Conformance, PrintsWithDistinctLabels) {
  const std::string text = netsor::print(program_);
  EXPECT_TRUE(text.starts_with("Input:  "));
  EXPECT_THAT(text, ::testing::HasSubstr("\nOutput: "));
  const auto& labels = program_.output().labels;
  EXPECT_EQ(std::set<std::string>(labels.begin(), labels.end()).size(), labels.size());
}

TEST_P(Conformance, EqualsItsTwin) {
  constexpr std::int64_t width = 16;
  const empirical::Parameters parameters = empirical::draw_parameters(program_, width, 5, 3);
  const MatrixXd values = testing::program_values(program_, width, 5, 3);
  const MatrixXd twin = empirical::twin(GetParam().network, GetParam().inputs, parameters);
  ASSERT_EQ(twin.rows(), values.rows());
  ASSERT_EQ(twin.cols(), values.cols());
  EXPECT_LT((twin - values).cwiseAbs().maxCoeff(), 1e-10 * std::max(1.0, values.cwiseAbs().maxCoeff()));
}

TEST_P(Conformance, LimitIsSymmetricAndPositiveSemidefinite) {
  const analytic::Limit limit = analytic::limit(program_, {.points = 1 << 10});
  EXPECT_EQ((limit.kernel - limit.kernel.transpose()).cwiseAbs().maxCoeff(), 0);
  // An error matrix E moves an eigenvalue by at most ‖E‖_F.
  const double student = student_quantile(limit.kernel.size());
  const double error = limit.error_bound.norm() + student * limit.standard_error.norm();
  const double rounding = std::numeric_limits<double>::epsilon() * limit.kernel.norm();
  EXPECT_GE(Eigen::SelfAdjointEigenSolver<MatrixXd>(limit.kernel).eigenvalues().minCoeff(),
            -error - rounding);
}

// The same samples, the last one first, and where each output column went; labels stay with their samples.
struct Reversed {
  architectures::Inputs inputs;
  std::vector<Index> outputs;
};

Reversed reversed(const architectures::Inputs& given, const netsor::Program& program) {
  Reversed result{given, {}};
  const Index samples = given.samples();
  Index last = given.count();
  std::vector<Index> order;
  for (Index s = samples; s-- > 0;) {
    const Index size =
        given.lengths.empty() ? given.count() / samples : given.lengths[static_cast<std::size_t>(s)];
    last -= size;
    for (Index j = 0; j < size; ++j) order.push_back(last + j);
  }
  result.inputs.data = given.data(Eigen::all, order);
  std::reverse(result.inputs.lengths.begin(), result.inputs.lengths.end());
  std::reverse(result.inputs.batch.begin(), result.inputs.batch.end());
  if (program.outputs() == given.count()) {
    result.outputs = order;
  } else {  // as many columns for each sample
    const Index each = program.outputs() / samples;
    for (Index s = samples; s-- > 0;) {
      for (Index j = 0; j < each; ++j) result.outputs.push_back(s * each + j);
    }
  }
  return result;
}

TEST_P(Conformance, ReorderingTheSamplesReordersTheKernel) {
  const Reversed other = reversed(GetParam().inputs, program_);
  const analytic::LimitOptions options{.points = 1 << 12};
  const analytic::Limit one = analytic::limit(program_, options);
  const analytic::Limit two =
      analytic::limit(architectures::program(GetParam().network, other.inputs), options);
  const MatrixXd expected = one.kernel(other.outputs, other.outputs);
  const ArrayXXd error = (one.standard_error(other.outputs, other.outputs).array().square() +
                          two.standard_error.array().square())
                             .sqrt();
  const double student = student_quantile(expected.size());
  const ArrayXXd allowed = student * error + 1e-12;
  EXPECT_LE(((two.kernel - expected).array().abs() / allowed).maxCoeff(), 1);
  if (GetParam().inputs.samples() > 1) {
    EXPECT_GT(((two.kernel - one.kernel).array().abs() / allowed).maxCoeff(), 1) << "the order should matter";
  }
}

// Two widths and the next term of the expansion in 1/n: 2 K(2n) - K(n) is K(∞) up to order 1/n², for which a
// quarter of the step from n to 2n is allowed. The normal quantile, Bonferroni over the entries, is for the
// samples; Student's for the limit's 16 randomizations.
TEST_P(Conformance, SamplesTendToTheLimit) {
  constexpr std::int64_t width = 64;
  const Mean narrow = sample_mean(program_, width, 1000), wide = sample_mean(program_, 2 * width, 2000);
  const analytic::Limit limit = analytic::limit(program_, {.points = 1 << 12});
  const Index twice = 2 * limit.kernel.size();  // half of the false alarms for each
  const double normal = boost::math::quantile(boost::math::complement(boost::math::normal(), tail(twice)));
  const double student = student_quantile(twice);
  const ArrayXXd allowed = normal * (4 * wide.error.square() + narrow.error.square()).sqrt() +
                           student * limit.standard_error.array() + limit.error_bound.array() +
                           0.25 * (wide.value - narrow.value).abs() + 1e-12;
  const ArrayXXd estimate = 2 * wide.value - narrow.value;
  EXPECT_LE(((estimate - limit.kernel.array()).abs() / allowed).maxCoeff(), 1)
      << "limit\n"
      << limit.kernel << "\nestimate\n"
      << estimate << "\nallowed\n"
      << allowed;
  EXPECT_GT(((estimate - 1.5 * limit.kernel.array()).abs() / allowed).maxCoeff(), 1)
      << "a wrong kernel passes";
}

std::string test_name(const ::testing::TestParamInfo<Case>& info) {
  std::string result = info.param.name;
  std::replace(result.begin(), result.end(), ' ', '_');
  return result;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, ::testing::ValuesIn(testing::conformance_cases()), test_name);

TEST(ConformanceCases, CoverEveryArchitecture) {
  std::set<std::string> covered;
  for (const Case& given : testing::conformance_cases())
    covered.insert(given.name.substr(0, given.name.find(' ')));
  for (const auto& architecture : architectures::all())
    EXPECT_TRUE(covered.contains(architecture.name)) << architecture.name;
}

}  // namespace
}  // namespace nngpcheck
