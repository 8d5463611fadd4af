// One suite for all architectures: limit, samples, twin and printer agree on what a network is.
#include <gmock/gmock.h>

#include <Eigen/Eigenvalues>
#include <array>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <limits>
#include <map>
#include <set>

#include "nngpcheck/analytic/limit.hpp"
#include "nngpcheck/architectures/registry.hpp"
#include "nngpcheck/empirical/sampler.hpp"
#include "nngpcheck/empirical/torch/twin.hpp"
#include "nngpcheck/netsor/printer.hpp"
#include "nngpcheck/netsor/reader.hpp"
#include "tests/conformance/cases.hpp"
#include "tests/empirical/values.hpp"
#include "tests/netsor/same_program.hpp"

namespace nngpcheck {
namespace {

using Eigen::ArrayXXd;
using Eigen::Index;
using Eigen::MatrixXd;
using testing::Case;

constexpr double false_alarm = 1e-6;  // of one architecture's comparison, over all entries

constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Of sums over fewer than 1e5 coordinates of kernels of this size, in the worst case.
double rounding(const ArrayXXd& kernel) { return 1e5 * epsilon * kernel.abs().maxCoeff(); }

double tail(Index entries) { return false_alarm / (2.0 * static_cast<double>(entries)); }

// Of as many independent values, by default the limit's 16 randomizations; Bonferroni over the entries.
double student_quantile(Index entries, std::uint64_t count = 16) {
  const boost::math::students_t law(static_cast<double>(count) - 1);
  return boost::math::quantile(boost::math::complement(law, tail(entries)));
}

// Ladders: one network at each of three widths, extrapolated to infinite width, Σ a_j K(n_j) with weights
// that cancel the terms of order 1/n and 1/n². Independent and alike, so their mean has a standard error.
class Ladders {
 public:
  explicit Ladders(const netsor::Program& program) : sampler_(program) {}

  void draw(std::uint64_t count) {
    std::vector<ArrayXXd> ladders(count);
    for (std::size_t j = 0; j < widths.size(); ++j) {
      sampler_.sample(widths[j], 7, count_, count, [&](std::uint64_t network, const MatrixXd& kernel) {
        ArrayXXd& ladder = ladders[network - count_];
        if (j == 0) ladder.setZero(kernel.rows(), kernel.cols());
        ladder += weights[j] * kernel.array();
      });
    }
    for (const ArrayXXd& ladder : ladders) {
      if (count_++ == 0) mean_ = squares_ = ArrayXXd::Zero(ladder.rows(), ladder.cols());
      const ArrayXXd difference = ladder - mean_;
      mean_ += difference / static_cast<double>(count_);
      squares_ += difference * (ladder - mean_);
    }
  }

  std::uint64_t count() const { return count_; }
  const ArrayXXd& mean() const { return mean_; }
  ArrayXXd standard_error() const {
    const auto count = static_cast<double>(count_);
    return (squares_ / (count * (count - 1))).sqrt();
  }

 private:
  static constexpr std::array<std::int64_t, 3> widths = {128, 512, 2048};
  static constexpr std::array<double, 3> weights = {1.0 / 45, -20.0 / 45,
                                                    64.0 / 45};  // Lagrange's, at 1/n = 0

  empirical::Sampler sampler_;
  std::uint64_t count_ = 0;
  ArrayXXd mean_, squares_;
};

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

TEST_P(Conformance, IsReadAgainFromItsText) {
  const std::string text = netsor::write_text(program_);
  EXPECT_EQ(testing::difference(program_, netsor::read_text(text, "text")), "") << text;
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

// Names and laws of the program's random objects, the readout left out, at one width.
empirical::Laws laws_of(const netsor::Program& program, std::int64_t width) {
  empirical::Laws result;
  for (const auto& u : program.input_weights())
    result[u.name] = {0, u.variance / static_cast<double>(u.inputs)};
  for (const auto& w : program.weights())
    result[w.name] = {0, w.variance / static_cast<double>(w.columns.at(width))};
  for (const auto& b : program.biases()) result[b.name] = {b.mean, b.variance};
  return result;
}

// The twin is given matrices that are already scaled; so what they are scaled by is compared by itself: the
// option over the fan-in of the module that reads them.
TEST_P(Conformance, ParametersHaveTheVariancesThatTorchCounts) {
  constexpr std::int64_t width = 16;
  const auto parameters = [&](std::uint64_t network) {
    return empirical::draw_parameters(program_, width, 5, network);
  };
  const empirical::Laws counted = empirical::twin_laws(GetParam().network, GetParam().inputs, parameters(0));
  const empirical::Laws stated = laws_of(program_, width);
  ASSERT_EQ(counted.size(), stated.size());
  std::map<std::string, double> squares, entries;  // of (w - mean)²/variance over networks: chi squared
  for (std::uint64_t network = 0; network < 200; ++network) {
    for (const auto& [name, values] : parameters(network)) {
      ASSERT_TRUE(counted.contains(name)) << name;
      const empirical::Law& law = counted.at(name);
      squares[name] += (values.array() - law.mean).square().sum() / law.variance;
      entries[name] += static_cast<double>(values.size());
    }
  }
  const double tail = false_alarm / (2 * static_cast<double>(counted.size()));
  for (const auto& [name, law] : counted) {
    SCOPED_TRACE(name);
    EXPECT_EQ(law.mean, stated.at(name).mean);
    EXPECT_NEAR(law.variance, stated.at(name).variance, 4 * epsilon * law.variance);
    const boost::math::chi_squared chi_squared(entries[name]);
    EXPECT_GT(squares[name], boost::math::quantile(chi_squared, tail));
    EXPECT_LT(squares[name], boost::math::quantile(boost::math::complement(chi_squared, tail)));
    EXPECT_GT(1.5 * squares[name], boost::math::quantile(boost::math::complement(chi_squared, tail)))
        << "a wrong variance passes";
  }
}

TEST_P(Conformance, LimitIsSymmetricAndPositiveSemidefinite) {
  const analytic::Limit limit = analytic::limit(program_, {.points = 1 << 10});
  EXPECT_EQ((limit.value - limit.value.transpose()).cwiseAbs().maxCoeff(), 0);
  // An error matrix E moves an eigenvalue by at most ‖E‖_F.
  const double student = student_quantile(limit.value.size());
  const double error = limit.error_bound.norm() + student * limit.standard_error.norm();
  const double rounding = std::numeric_limits<double>::epsilon() * limit.value.norm();
  EXPECT_GE(Eigen::SelfAdjointEigenSolver<MatrixXd>(limit.value).eigenvalues().minCoeff(), -error - rounding);
}

// The columns, those of the last sample first.
std::vector<Index> reversed_order(const inputs::Inputs& given) {
  const Index samples = given.samples();
  Index last = given.count();
  std::vector<Index> order;
  for (Index s = samples; s-- > 0;) {
    const std::vector<Index>& sizes = given.graph ? given.graph_sizes : given.lengths;
    const Index size = sizes.empty() ? given.count() / samples : sizes[static_cast<std::size_t>(s)];
    last -= size;
    for (Index j = 0; j < size; ++j) order.push_back(last + j);
  }
  return order;
}

// The same samples, the last one first; labels stay with their samples.
inputs::Inputs reversed_inputs(const inputs::Inputs& given) {
  inputs::Inputs result = given;
  const std::vector<Index> order = reversed_order(given);
  result.data = given.data(Eigen::all, order);
  std::reverse(result.lengths.begin(), result.lengths.end());
  std::reverse(result.batch.begin(), result.batch.end());
  std::reverse(result.graph_sizes.begin(), result.graph_sizes.end());
  if (given.graph) {
    for (inputs::Edge& edge : *result.graph) {
      for (Index* node : {&edge.source, &edge.target})
        *node = std::find(order.begin(), order.end(), *node) - order.begin();
    }
  }
  for (inputs::NamedInputs& other : result.others) other.inputs = reversed_inputs(other.inputs);
  return result;
}

// Where each output column went.
struct Reversed {
  inputs::Inputs inputs;
  std::vector<Index> outputs;
};

Reversed reversed(const inputs::Inputs& given, const netsor::Program& program) {
  Reversed result{reversed_inputs(given), {}};
  const Index samples = given.samples();
  if (program.outputs() == given.count()) {
    result.outputs = reversed_order(given);
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
  const MatrixXd expected = one.value(other.outputs, other.outputs);
  const ArrayXXd error = (one.standard_error(other.outputs, other.outputs).array().square() +
                          two.standard_error.array().square())
                             .sqrt();
  const double student = student_quantile(expected.size());
  const ArrayXXd allowed = student * error + 1e-12;
  EXPECT_LE(((two.value - expected).array().abs() / allowed).maxCoeff(), 1);
  if (GetParam().inputs.samples() > 1) {
    EXPECT_GT(((two.value - one.value).array().abs() / allowed).maxCoeff(), 1) << "the order should matter";
  }
}

// Ladders are drawn until some entry is known so well that 1.02 times a right limit would be refused.
// Student's quantiles, Bonferroni over the entries, for the ladders and for the limit's randomizations.
TEST_P(Conformance, SamplesTendToTheLimit) {
  constexpr double wrong = 1.02;
  constexpr std::uint64_t most_ladders = 1 << 16;
  const analytic::Limit limit = analytic::limit(program_, {.points = 1 << 12});
  const ArrayXXd expected = limit.value.array();
  const Index twice = 2 * limit.value.size();  // half of the false alarms for each
  const double student = student_quantile(twice);
  Ladders ladders(program_);
  ArrayXXd allowed, error;  // error where entries fluctuate; behind a layer norm some are 1 in every network
  do {
    ladders.draw(std::max<std::uint64_t>(64, ladders.count()));
    const double samples = student_quantile(twice, ladders.count());
    allowed = samples * ladders.standard_error() + student * limit.standard_error.array() +
              limit.error_bound.array() + rounding(expected);
    error = (ladders.standard_error() > rounding(expected))
                .select(allowed, std::numeric_limits<double>::infinity());
  } while ((2 * error > (wrong - 1) * expected.abs()).all() && ladders.count() < most_ladders);
  EXPECT_LE(((ladders.mean() - expected).abs() / allowed).maxCoeff(), 1) << "limit\n"
                                                                         << limit.value << "\nestimate\n"
                                                                         << ladders.mean() << "\nallowed\n"
                                                                         << allowed;
  EXPECT_GT(((ladders.mean() - wrong * expected).abs() / error).maxCoeff(), 1) << "a wrong kernel passes";
  RecordProperty("ladders", std::to_string(ladders.count()));
}

std::string test_name(const ::testing::TestParamInfo<Case>& info) {
  std::string result = info.param.name;
  std::replace(result.begin(), result.end(), ' ', '_');
  return result;
}

INSTANTIATE_TEST_SUITE_P(All, Conformance, ::testing::ValuesIn(testing::conformance_cases()), test_name);
INSTANTIATE_TEST_SUITE_P(Layers, Conformance, ::testing::ValuesIn(testing::layer_cases()), test_name);

TEST(ConformanceCases, CoverEveryArchitecture) {
  std::set<std::string> covered;
  for (const Case& given : testing::conformance_cases())
    covered.insert(given.name.substr(0, given.name.find(' ')));
  for (const auto& architecture : architectures::all())
    EXPECT_TRUE(covered.contains(architecture.name)) << architecture.name;
}

}  // namespace
}  // namespace nngpcheck
