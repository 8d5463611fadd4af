// The push of every rule beside central differences of its value, at random programs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/math/distributions/students_t.hpp>
#include <functional>
#include <map>
#include <random>
#include <set>

#include "nngpcheck/analytic/error.hpp"
#include "nngpcheck/analytic/evaluation/plan.hpp"
#include "nngpcheck/analytic/paths/paths.hpp"
#include "tests/analytic/random_program.hpp"

namespace nngpcheck::analytic {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int programs = 50;
constexpr Index directions = 2;
constexpr double tolerance = 1e-6;  // of the largest derivative in a row
constexpr int log2_points = 10;
constexpr int randomizations = 12;
const PathPool::Axes no_axes;

std::vector<Demand> goals_of(const netsor::Program& program) {
  std::vector<Demand> result;
  for (const netsor::BundleId block : program.output().blocks)
    result.push_back(Demand::moment(block.index(), block.index()));
  return result;
}

/// A program's plan, and the values of all its steps that are the same in every randomization.
struct Limit {
  explicit Limit(const netsor::Program& p)
      : program(p),
        structure(program),
        plan(make_plan(structure, goals_of(program), false)),
        values(structure) {
    PathPool paths(values, plan.systems, no_axes, 0, 0);
    Workplace workplace{values, paths, plan.systems};
    for (const auto& [step, replicated] : plan.entries) {
      Cost cost;
      if (!replicated) values.set(step->demand(), step->value(workplace, cost));
    }
  }

  const netsor::Program program;
  const Structure structure;
  const Plan plan;
  Values values;
};

/// The numbers that a step depends on: its needs, and those of what it needs that is no number.
std::set<Demand> numbers(const Plan& plan, const Step& step) {
  std::set<Demand> result, visited;
  std::vector<Demand> open = step.needs();
  while (!open.empty()) {
    const Demand demand = open.back();
    open.pop_back();
    if (!visited.insert(demand).second) continue;
    if (demand.is_number()) {
      result.insert(demand);
    } else {
      const auto& needs = plan.entry(demand).step->needs();
      open.insert(open.end(), needs.begin(), needs.end());
    }
  }
  return result;
}

/// Random directions of the values' sizes; symmetric where these are. Covariances move by AC + CBᵀ, as if
/// bundles were multiplied by I + hA and I + hB: then they stay covariances, whatever their condition.
Changes random_changes(const std::set<Demand>& demands, const Values& values, unsigned seed) {
  const auto random_matrix = [&](unsigned key, Index rows, Index columns) -> MatrixXd {
    std::mt19937 random(1000 * seed + key);
    std::uniform_real_distribution<double> uniform(-0.4, 0.4);
    return MatrixXd::NullaryExpr(rows, columns, [&] { return uniform(random); });
  };
  Changes result(directions);
  unsigned number = 0;
  for (const Demand& demand : demands) {
    ++number;
    const MatrixXd& value = values[demand].value;
    const bool full = demand.entries.is_full();
    Directions change(value.size(), directions);
    for (Index b = 0; b < directions; ++b) {
      const auto key = static_cast<unsigned>(b);
      MatrixXd one = random_matrix(100 * (number + 1) + key, value.rows(), value.cols());
      one *= std::max(value.cwiseAbs().maxCoeff(), 1e-3);
      if (demand.kind == Demand::Kind::covariance && full) {
        one = random_matrix(2 * demand.left + key, value.rows(), value.rows()) * value +
              value * random_matrix(2 * demand.right + key, value.cols(), value.cols()).transpose();
      } else if (demand.kind == Demand::Kind::moment && demand.left == demand.right && full) {
        one = (0.5 * (one + one.transpose())).eval();
      } else if (demand.entries.classes()) {
        demand.entries.for_each(value.rows(), value.rows(), [&](Index i, Index j, Index k) {
          if (i < j) one.data()[k] = one.data()[demand.entries.at(j, i, value.rows())];
        });
      }
      change.col(b) = one.reshaped();
    }
    result.set(demand, change);
  }
  return result;
}

/// The step's value where what it needs is moved by h times one direction.
MatrixXd moved_value(const Limit& limit, const Values& values, const Step& step, const Changes& changes,
                     const std::set<Demand>& demands, Index direction, double h, std::uint64_t seed) {
  Values moved(limit.structure, &values);
  for (const Demand& demand : demands) {
    UncertainMatrix value = values[demand];
    value.value.reshaped() += h * changes.find(demand)->col(direction);
    moved.set(demand, std::move(value));
  }
  PathPool paths(moved, limit.plan.systems, no_axes, log2_points, seed);
  Workplace workplace{moved, paths, limit.plan.systems};
  Cost cost;
  if (step.method() == Method::paths) {
    for (const auto& [earlier, replicated] : limit.plan.entries) {
      if (earlier.get() == &step) break;
      if (earlier->method() == Method::sample) earlier->value(workplace, cost);
    }
  }
  return step.value(workplace, cost).value;
}

/// Central differences with one step of Richardson's extrapolation, and what that step changed.
struct Differences {
  Directions slopes, correction;
};

Differences differences(const Limit& limit, const Values& values, const Step& step, const Changes& changes,
                        const std::set<Demand>& demands, double h, std::uint64_t seed) {
  Differences result;
  for (Index b = 0; b < directions; ++b) {
    const auto central = [&](double size) -> MatrixXd {
      return (moved_value(limit, values, step, changes, demands, b, size, seed) -
              moved_value(limit, values, step, changes, demands, b, -size, seed)) /
             (2 * size);
    };
    const MatrixXd fine = central(h / 2), correction = (fine - central(h)) / 3;
    if (b == 0) {
      result.slopes.resize(fine.size(), directions);
      result.correction.resize(fine.size(), directions);
    }
    result.slopes.col(b) = (fine + correction).reshaped();
    result.correction.col(b) = correction.reshaped();
  }
  return result;
}

/// The largest difference, relative to the largest derivative in the same row of the quantity.
double largest_error(const Directions& pushed, const Directions& expected, Index rows) {
  double worst = 0;
  for (Index i = 0; i < rows; ++i) {
    double size = 0, error = 0;
    for (Index k = i; k < expected.rows(); k += rows) {
      size = std::max(size, expected.row(k).cwiseAbs().maxCoeff());
      error = std::max(error, (pushed.row(k) - expected.row(k)).cwiseAbs().maxCoeff());
    }
    if (error > 1e-10)
      worst = std::max(worst, error / std::max(size, 1e-10));  // central differences' rounding
  }
  return worst;
}

Directions push(const Limit& limit, Values& values, const Step& step, const Changes& changes) {
  PathPool paths(values, limit.plan.systems, no_axes, 0, 0);
  Workplace workplace{values, paths, limit.plan.systems};
  return step.push(workplace, changes);
}

/// Two convolutions over a circle of eight positions of two samples, a bias, and one output block per
/// position: of all bundles pairs of equal positions alone are needed.
netsor::Program flattened(const char* activation) {
  constexpr Index positions = 8, samples = 2, columns = positions * samples;
  netsor::Builder b;
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  const MatrixXd data = MatrixXd::NullaryExpr(20, columns, [&] { return normal(random); });
  netsor::BundleId x = b.input(b.input_weight({"U", {}, 20, 1}), data);
  x = b.map(netsor::Activation::named("erf"), x);
  std::vector<netsor::Add::Term> terms;
  for (Index offset = 0; offset < 2; ++offset) {
    std::vector<Index> moved;
    for (Index j = 0; j < columns; ++j) moved.push_back(j / positions * positions + (j + offset) % positions);
    terms.push_back({1, b.select(b.matmul(b.weight({"W" + std::to_string(offset), {}, {}, 0.7}), x), moved)});
  }
  const MatrixXd ones = MatrixXd::Ones(1, columns);
  terms.push_back({1, b.mix(b.column(b.bias({"b", {}, 0.3, 0.2})), netsor::SparseMatrix(ones.sparseView()))});
  x = b.map(netsor::Activation::named(activation), b.add(terms));
  std::vector<netsor::BundleId> blocks;
  for (Index p = 0; p < positions; ++p) blocks.push_back(b.select(x, {p, positions + p}));
  b.output(b.readout({"v", 1}), blocks);
  return std::move(b).build();
}

const std::vector<std::unique_ptr<Limit>>& limits() {
  static const std::vector<std::unique_ptr<Limit>> result = [] {
    std::vector<std::unique_ptr<Limit>> made;
    for (unsigned seed = 0; seed < programs; ++seed) {
      made.push_back(std::make_unique<Limit>(testing::RandomProgram(seed).make()));
    }
    for (const char* activation : {"relu", "tanh"})
      made.push_back(std::make_unique<Limit>(flattened(activation)));
    return made;
  }();
  return result;
}

TEST(Push, EveryRuleAppearsInTheRandomPrograms) {
  std::map<Method, int> count;
  for (const auto& limit : limits()) {
    for (const auto& [step, replicated] : limit->plan.entries) ++count[step->method()];
  }
  for (const Method method : {Method::zero, Method::linear, Method::gaussian, Method::product, Method::dual,
                              Method::batch_norm, Method::table, Method::sample, Method::paths}) {
    EXPECT_GT(count[method], 0) << static_cast<int>(method);
  }
}

TEST(Push, ConvolutionsThatAreFlattenedNeedEqualPositions) {
  const Limit limit(flattened("relu"));
  int within = 0;
  for (const auto& [step, replicated] : limit.plan.entries) {
    const Demand& demand = step->demand();
    if (demand.kind == Demand::Kind::mean || limit.structure.columns(demand.left) == 2) continue;
    ASSERT_TRUE(demand.entries.classes()) << limit.program.name(demand.left);
    EXPECT_EQ(demand.entries.classes()->largest, 2);
    ++within;
  }
  EXPECT_GE(within, 4);
}

TEST(Push, IsTheDerivativeOfEveryDeterministicStep) {
  unsigned seed = 0;
  std::map<Method, int> rejected_without_means, rejected_asymmetric;
  for (const auto& limit : limits()) {
    for (const auto& [step, replicated] : limit->plan.entries) {
      if (replicated || !step->demand().is_number()) continue;
      const std::set<Demand> demands = numbers(limit->plan, *step);
      const Changes changes = random_changes(demands, limit->values, ++seed);
      const Directions expected = differences(*limit, limit->values, *step, changes, demands, 1e-3, 0).slopes;
      const Directions pushed = push(*limit, limit->values, *step, changes);
      ASSERT_EQ(pushed.rows(), expected.rows());
      const Index rows = limit->values[step->demand()].value.rows();
      EXPECT_LT(largest_error(pushed, expected, rows), tolerance)
          << "program " << (&limit - limits().data()) << ", method " << static_cast<int>(step->method())
          << ", kind " << static_cast<int>(step->demand().kind) << " of "
          << limit->program.name(step->demand().left) << "\n"
          << pushed << "\n\n"
          << expected;
      // Wrong pushes: without the slopes of means, and with one of two symmetric partners alone.
      Changes without_means = changes, asymmetric = changes;
      for (const Demand& demand : demands) {
        if (demand.kind == Demand::Kind::mean) without_means.erase(demand);
        const Index n = limit->values[demand].value.rows();
        if (demand.left != demand.right || !demand.entries.is_full() || demand.kind == Demand::Kind::table)
          continue;
        Directions half = *changes.find(demand);
        for (Index k = 0; k < half.rows(); ++k) {
          if (k % n < k / n) half.row(k).setZero();
        }
        asymmetric.set(demand, half);
      }
      const auto is_rejected = [&](const Changes& wrong) {
        return largest_error(push(*limit, limit->values, *step, wrong), expected, rows) > 100 * tolerance;
      };
      rejected_without_means[step->method()] += is_rejected(without_means);
      rejected_asymmetric[step->method()] += is_rejected(asymmetric);
    }
  }
  for (const Method method :
       {Method::linear, Method::gaussian, Method::product, Method::dual, Method::table}) {
    EXPECT_GT(rejected_without_means[method], 0) << static_cast<int>(method);
  }
  for (const Method method : {Method::linear, Method::batch_norm}) {
    EXPECT_GT(rejected_asymmetric[method], 0) << static_cast<int>(method);
  }
}

/// Mean and standard error over randomizations.
struct Mean {
  MatrixXd sum, squares;
  int count = 0;

  void add(const MatrixXd& x) {
    if (count++ == 0) sum = squares = MatrixXd::Zero(x.rows(), x.cols());
    sum += x;
    squares += x.cwiseAbs2();
  }
  MatrixXd mean() const { return sum / count; }
  MatrixXd standard_error() const {
    return ((squares / count - mean().cwiseAbs2()).cwiseMax(0) / (count - 1)).cwiseSqrt();
  }
};

/// The push of one average over paths beside central differences on the same paths.
struct PathComparison {
  Mean error, slopes, correction;

  /// The largest distance of the push times `factor` beyond what is allowed: the quantile of Student's law at
  /// 1e-6 over all entries, and what Richardson's extrapolation changed, which is more than what it left.
  double excess(double factor, double entries) const {
    const boost::math::students_t law(randomizations - 1);
    const double quantile = boost::math::quantile(boost::math::complement(law, 1e-6 / (2 * entries)));
    const MatrixXd distance = (error.mean() + (factor - 1) * slopes.mean()).cwiseAbs();
    const MatrixXd allowed = quantile * error.standard_error() + correction.mean().cwiseAbs();
    return (distance - allowed).maxCoeff() - 1e-10;  // central differences' rounding
  }
};

/// Every average over paths of a program. `forget` takes away changes that the push is told.
std::map<const Step*, PathComparison> compare_averages(
    const Limit& limit, const std::function<void(Changes&)>& forget = [](Changes&) {}) {
  std::map<const Step*, PathComparison> result;
  for (std::uint64_t r = 0; r < randomizations; ++r) {
    Values values(limit.structure, &limit.values);
    PathPool paths(values, limit.plan.systems, no_axes, log2_points, r);
    Workplace workplace{values, paths, limit.plan.systems};
    unsigned seed = 0;
    for (const auto& [step, replicated] : limit.plan.entries) {
      if (!replicated) continue;
      Cost cost;
      UncertainMatrix value = step->value(workplace, cost);
      if (step->demand().is_number()) values.set(step->demand(), std::move(value));
      if (step->method() != Method::paths) continue;
      const std::set<Demand> demands = numbers(limit.plan, *step);
      Changes changes = random_changes(demands, values, ++seed);
      const Differences expected = differences(limit, values, *step, changes, demands, 0.02, r);
      forget(changes);
      PathComparison& comparison = result[step.get()];
      comparison.error.add(step->push(workplace, changes) - expected.slopes);
      comparison.slopes.add(expected.slopes);
      comparison.correction.add(expected.correction);
    }
  }
  return result;
}

TEST(Push, IsTheDerivativeOfAveragesOverPaths) {
  std::vector<std::pair<std::size_t, PathComparison>> all;
  double entries = 0;
  for (std::size_t p = 0; p < limits().size(); ++p) {
    if (limits()[p]->program.outputs() > 3) continue;  // so few points do not give them a covariance
    for (auto& [step, comparison] : compare_averages(*limits()[p])) {
      entries += static_cast<double>(comparison.error.sum.size());
      all.emplace_back(p, std::move(comparison));
    }
  }
  ASSERT_FALSE(all.empty());
  int rejected = 0;
  for (const auto& [p, comparison] : all) {
    EXPECT_LE(comparison.excess(1, entries), 0) << "program " << p << "\n" << comparison.error.mean();
    rejected += comparison.excess(1.2, entries) > 0;
  }
  EXPECT_GT(rejected, std::ssize(all) / 2);  // a push that is 20 % too large
}

/// z ⊙ (z ⊙ c + z)·t with z = tanh(standardize(g)), g of seven columns, c = relu(V relu(g)), t a table: paths
/// of g that all entries share, conditional moments of c given them, and coefficients that change.
netsor::Program program_with_common_paths() {
  netsor::Builder b;
  const auto named = [](const char* name) { return netsor::Activation::named(name); };
  const MatrixXd data = MatrixXd::NullaryExpr(
      8, 7, [](Index i, Index j) { return std::sin(static_cast<double>(1 + 3 * i + 5 * j + i * j)); });
  const netsor::BundleId g = b.input(b.input_weight({"U", {}, 8, 1.5}), data);
  const netsor::BundleId z = b.map(named("tanh"), b.standardize(g, std::vector<int>(7, 0), 0.2));
  const netsor::BundleId y = b.map(named("relu"), g);
  const netsor::BundleId c = b.map(named("relu"), b.matmul(b.weight({"V", {}, {}, 1}), y));
  const netsor::TableId t = b.apply(netsor::Rsqrt{0.1}, {b.apply(netsor::Diagonal{}, {b.gram(y, y)})});
  b.output(b.readout({"v", 1}), b.mul(z, b.scale(b.add(b.mul(z, c), z), t)));
  return std::move(b).build();
}

TEST(Push, IsTheDerivativeOfAveragesOverPathsThatEntriesShare) {
  const Limit limit(program_with_common_paths());
  ASSERT_FALSE(limit.plan.systems.common.empty());
  const Demand* constant = nullptr;  // given the path: a moment of c, or of its argument
  bool conditional = false;
  for (const auto& [step, replicated] : limit.plan.entries) {
    conditional |= step->method() == Method::conditional;
    if (step->method() == Method::dual && step->demand().kind == Demand::Kind::moment)
      constant = &step->demand();
  }
  ASSERT_TRUE(conditional);
  ASSERT_TRUE(constant);
  const auto largest = [&](double factor, const std::function<void(Changes&)>& forget) {
    const auto all = compare_averages(limit, forget);
    double entries = 0, result = -1;
    for (const auto& [step, comparison] : all) entries += static_cast<double>(comparison.error.sum.size());
    for (const auto& [step, comparison] : all) result = std::max(result, comparison.excess(factor, entries));
    return result;
  };
  EXPECT_LE(largest(1, [](Changes&) {}), 0);
  EXPECT_GT(largest(1.2, [](Changes&) {}), 0);
  EXPECT_GT(largest(1, [&](Changes& changes) { changes.erase(*constant); }), 0);
  EXPECT_GT(largest(1, [&](Changes& changes) { changes.erase(Demand::covariance(0, 0)); }), 0);
}

/// step(max(g, tanh g)), g a Gaussian bundle of three columns.
netsor::Program program_with_a_jump() {
  netsor::Builder b;
  const Eigen::MatrixXd data = Eigen::MatrixXd::Identity(4, 3) + Eigen::MatrixXd::Constant(4, 3, 0.3);
  const netsor::BundleId g = b.input(b.input_weight({"U", {}, 4, 1}), data);
  const netsor::BundleId x = b.max(g, b.map(netsor::Activation::named("tanh"), g));
  b.output(b.readout({"v", 1}), b.map(netsor::Activation::named("step"), x));
  return std::move(b).build();
}

TEST(Push, RefusesThePathwiseDerivativeOfAStep) {
  const Limit limit(program_with_a_jump());
  const Step& step = *limit.plan.entries.back().step;
  ASSERT_EQ(step.method(), Method::paths);
  Values values(limit.structure, &limit.values);
  const int system = limit.plan.systems.families.begin()->first;
  Paths paths(values, limit.plan.systems, system, nullptr, 12, 1);
  const Changes changes = random_changes(numbers(limit.plan, step), values, 1);
  const NodeIndex x = step.demand().left;
  EXPECT_THROW(paths.push_locally(x, x, changes, PathDerivative::pathwise), LimitError);
  const Directions by_score = paths.push_locally(x, x, changes, PathDerivative::score);
  // P(g_i > 0, g_j > 0) = 1/4 + asin(ρ)/2π: its derivatives, on the diagonal 0.
  const MatrixXd& c = values[Demand::covariance(0, 0)].value;
  for (Index k = 0; k < 9; ++k) {
    const Index i = k % 3, j = k / 3;
    if (i == j) continue;
    for (Index b = 0; b < directions; ++b) {
      const MatrixXd d = changes.matrix(Demand::covariance(0, 0), b, 3);
      const double size = std::sqrt(c(i, i) * c(j, j)), rho = c(i, j) / size;
      const double moved = d(i, j) / size - 0.5 * rho * (d(i, i) / c(i, i) + d(j, j) / c(j, j));
      const double expected = moved / (2 * M_PI * std::sqrt(1 - rho * rho));
      EXPECT_NEAR(by_score(k, b), expected, 0.01);  // 2^12 points: about 1/64 of the score's deviation
      EXPECT_GT(std::abs(expected), 0.0);
    }
  }
}

TEST(Coordinates, AreTheProgramOnNumbers) {
  const netsor::Program program = program_with_a_jump();
  const Structure structure(program);
  LinearForms forms(structure,
                    [](NodeIndex) -> const UncertainMatrix& { throw std::logic_error("no tables"); });
  Coordinates coordinates(structure, forms, 3);
  const Eigen::ArrayXd numbers = Eigen::Array3d(-2, 0.5, 3);
  coordinates.set({0, 1}, numbers);
  EXPECT_TRUE((coordinates(1, 1) - numbers.tanh()).abs().maxCoeff() < 1e-15);
  EXPECT_TRUE((coordinates(2, 1) == numbers.max(coordinates(1, 1))).all());
  EXPECT_TRUE((coordinates(3, 1) == Eigen::Array3d(0, 1, 1)).all());
  EXPECT_THROW(coordinates(2, 0), LimitError);  // that column was not given
}

}  // namespace
}  // namespace nngpcheck::analytic
