// Where an expression may have a kink or a jump. One node at a time, arguments first: between the breakpoints
// of its arguments each node is smooth, because which branch of abs, min, floor, … holds there is known from
// any one point. So the interval [low, high] falls into pieces; on each piece intervals enclose the node's
// argument and its slope. An interval that excludes the kink's place is done; on one where the argument is
// monotone a bracketing solver finds the crossings; any other one is halved.
#include <algorithm>
#include <cmath>
#include <deque>
#include <numbers>
#include <optional>
#include <utility>

#include "nngpcheck/netsor/enclosure.hpp"
#include "nngpcheck/netsor/expression.hpp"

namespace nngpcheck::netsor {

namespace {

using Term = Expression::Node;

constexpr std::size_t most_points = 10000;
constexpr double most_work = 2e6;  // evaluations of nodes
constexpr int most_halvings = 10000;

/// The places where an argument makes a kink or jump: offset + k·spacing for all integers k, or only offset.
struct Places {
  double offset = 0;
  double spacing = 0;
};

/// What crosses which places: the argument `left`, or the difference of `left` and `right`.
struct Crossing {
  std::uint32_t node;
  std::uint32_t left;
  std::optional<std::uint32_t> right;
  Places places;
};

bool is_whole(double x) { return x == std::floor(x); }

/// The crossings at which a node is not smooth.
std::vector<Crossing> crossings(std::span<const Term> nodes, std::uint32_t index) {
  const Term& node = nodes[index];
  const std::uint32_t a = node.arguments[0], b = node.arguments[1];
  const auto at = [&](double offset, double spacing = 0) {
    return Crossing{index, a, {}, {offset, spacing}};
  };
  switch (node.op) {
    case Operator::abs:
    case Operator::sign:
    case Operator::relu:
    case Operator::logical_not:
    case Operator::sqrt:
    case Operator::cbrt:
    case Operator::log:
    case Operator::log2:
    case Operator::log10:
    case Operator::select:
      return {at(0)};
    case Operator::log1p:
      return {at(-1)};
    case Operator::acosh:
      return {at(1)};
    case Operator::asin:
    case Operator::acos:
    case Operator::atanh:
      return {at(-1), at(1)};
    case Operator::floor:
    case Operator::ceil:
    case Operator::trunc:
      return {at(0, 1)};
    case Operator::rint:
      return {at(0.5, 1)};
    case Operator::tan:
      return {at(std::numbers::pi / 2, std::numbers::pi)};
    case Operator::divide:
      return {Crossing{index, b, {}, {}}};
    case Operator::power:
      if (nodes[b].op == Operator::constant && is_whole(nodes[b].value) && nodes[b].value >= 0) return {};
      return {at(0)};
    case Operator::logical_and:
    case Operator::logical_or:
    case Operator::atan2:
      return {at(0), Crossing{index, b, {}, {}}};
    case Operator::minimum:
    case Operator::maximum:
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
    case Operator::equal:
    case Operator::not_equal:
      if (a == b) return {};
      return {Crossing{index, a, b, {}}};
    default:
      return {};
  }
}

/// A point of [left, right] where the continuous f changes its sign, to the last place: false position
/// (Illinois), with a bisection every fourth step.
template <class Function>
double root(const Function& f, double left, double right, double at_left, double at_right) {
  if (at_left == 0) return left;
  if (at_right == 0) return right;
  int side = 0;  // that moved last
  for (int step = 1;; ++step) {
    const double middle = 0.5 * (left + right);
    if (!(left < middle && middle < right)) return left;
    double x = left - at_left * (right - left) / (at_right - at_left);
    if (step % 4 == 0 || !(left < x && x < right)) x = middle;
    const double value = f(x);
    if (value == 0) return x;
    if ((value < 0) == (at_left < 0)) {
      left = x, at_left = value;
      if (std::exchange(side, -1) == -1) at_right /= 2;
    } else {
      right = x, at_right = value;
      if (std::exchange(side, 1) == 1) at_left /= 2;
    }
  }
}

class Search {
 public:
  Search(const Expression& expression, double low, double high)
      : expression_(expression),
        nodes_(expression.nodes()),
        low_(low),
        high_(high),
        resolution_(std::max(std::abs(low), std::abs(high)) * 0x1p-50),
        values_(nodes_.size()),
        jets_(nodes_.size()) {}

  Breakpoints run() {
    std::vector<Crossing> all;
    for (std::uint32_t k = 0; k < nodes_.size(); ++k) {
      for (const Crossing& crossing : crossings(nodes_, k)) all.push_back(crossing);
    }
    for (const Crossing& crossing : all) search(crossing);
    result_.points = relevant();
    return std::move(result_);
  }

 private:
  struct Found {
    double x;
    std::uint32_t node;
  };
  struct Part {
    double left, right;
    std::size_t piece;
  };

  /// Values of all nodes at x.
  void evaluate(double x) {
    expression_.evaluate({&x, 1}, values_);
    work_ += static_cast<double>(nodes_.size());
  }

  double argument(const Crossing& crossing, double x) {
    evaluate(x);
    return values_[crossing.left] - (crossing.right ? values_[*crossing.right] : 0);
  }

  bool exhausted() const { return work_ > most_work || found_.size() > most_points; }

  /// The ends of the pieces: low, what was found, high.
  std::vector<double> ends() const {
    std::vector<double> result = {low_};
    for (const Found& found : found_) {
      if (found.x > result.back() + resolution_ && found.x < high_ - resolution_) result.push_back(found.x);
    }
    result.push_back(high_);
    return result;
  }

  Jet jet(const Crossing& crossing, const Part& part, std::span<const double> middles) {
    const std::uint32_t last = std::max(crossing.left, crossing.right.value_or(0));
    for (std::uint32_t k = 0; k <= last; ++k) {
      jets_[k] = nodes_[k].op == Operator::variable ? Jet{{part.left, part.right}, Interval::point(1)}
                                                    : enclose(nodes_[k], jets_, middles, middles[k]);
    }
    work_ += last + 1;
    Jet result = jets_[crossing.left];
    if (!crossing.right || result.value.empty()) return result;
    const Jet& other = jets_[*crossing.right];
    if (other.value.empty()) return other;
    return {result.value - other.value, result.slope - other.slope};
  }

  void search(const Crossing& crossing) {
    const std::vector<double> all_ends = ends();
    const std::size_t pieces = all_ends.size() - 1;
    if (exhausted() || static_cast<double>(pieces * nodes_.size()) > most_work) {
      result_.complete = false;
      return;
    }
    std::vector<double> middles(pieces * nodes_.size());
    std::deque<Part> open;  // widest first
    for (std::size_t k = 0; k < pieces; ++k) {
      const double left = all_ends[k] + resolution_, right = all_ends[k + 1] - resolution_;
      if (!(left < right)) continue;
      evaluate(0.5 * (left + right));
      std::copy(values_.begin(), values_.end(),
                middles.begin() + static_cast<std::ptrdiff_t>(k * nodes_.size()));
      open.push_back({left, right, k});
    }
    int halvings = 0;
    while (!open.empty()) {
      if (exhausted() || halvings > most_halvings) {
        result_.complete = false;
        break;
      }
      const Part part = open.front();
      open.pop_front();
      const Jet g = jet(crossing, part, {middles.data() + part.piece * nodes_.size(), nodes_.size()});
      if (g.value.empty() || g.slope.is_zero() || !reaches(crossing.places, g.value)) continue;
      const double centre = 0.5 * (part.left + part.right);
      if (g.slope.low >= 0 || g.slope.high <= 0) {
        solve(crossing, part);
      } else if (part.right - part.left <= resolution_ || !(part.left < centre && centre < part.right)) {
        found_.push_back({centre, crossing.node});
      } else {
        ++halvings;
        open.push_back({part.left, centre, part.piece});
        open.push_back({centre, part.right, part.piece});
      }
    }
    std::sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) { return a.x < b.x; });
  }

  static bool reaches(const Places& places, const Interval& value) {
    if (places.spacing == 0) return value.low <= places.offset && places.offset <= value.high;
    const double first = std::ceil((value.low - places.offset) / places.spacing);
    return !(places.offset + first * places.spacing > value.high);
  }

  /// All crossings of an argument that is monotone on the part.
  void solve(const Crossing& crossing, const Part& part) {
    const double at_left = argument(crossing, part.left), at_right = argument(crossing, part.right);
    if (std::isnan(at_left) || std::isnan(at_right)) {
      result_.complete = false;
      return;
    }
    const double least = std::min(at_left, at_right), most = std::max(at_left, at_right);
    const auto [offset, spacing] = crossing.places;
    const double first = spacing == 0 ? 0 : std::ceil((least - offset) / spacing);
    const double last = spacing == 0 ? 0 : std::floor((most - offset) / spacing);
    if (!(last - first < static_cast<double>(most_points))) {
      result_.complete = false;
      return;
    }
    for (double k = first; k <= last; ++k) {
      if (exhausted()) {
        result_.complete = false;
        return;
      }
      const double place = offset + k * spacing;
      if (place < least || place > most) continue;
      const double x = root([&](double at) { return argument(crossing, at) - place; }, part.left, part.right,
                            at_left - place, at_right - place);
      found_.push_back({x, crossing.node});
    }
  }

  /// The nodes whose kinks and jumps at a point are the function's: those on which it depends on one side of
  /// the point, but not what is below a node that is the same constant on both sides.
  std::vector<bool> active(std::span<const double> before, std::span<const double> after) const {
    std::vector<bool> result(nodes_.size(), false);
    result.back() = true;
    for (std::size_t k = nodes_.size(); k-- > 0;) {
      const Term& node = nodes_[k];
      if (!result[k] || (is_piecewise_constant(node.op) && before[k] == after[k])) continue;
      for (const std::span<const double> values : {before, after}) {
        for (int i = 0; i < arity(node.op); ++i) {
          if (counts(node, i, values)) result[node.arguments[i]] = true;
        }
      }
    }
    return result;
  }

  /// Whether a node depends on its argument `i` where the nodes have these values.
  static bool counts(const Term& node, int i, std::span<const double> values) {
    const double a = values[node.arguments[0]], b = values[node.arguments[1]];
    switch (node.op) {
      case Operator::select:
        return i == 0 || i == (a != 0 ? 1 : 2);
      case Operator::minimum:
        return i == (a < b ? 0 : 1);
      case Operator::maximum:
        return i == (a > b ? 0 : 1);
      case Operator::relu:
        return a > 0;
      default:
        return true;
    }
  }

  /// The points found, without those of nodes that do not count there.
  std::vector<double> relevant() {
    const std::vector<double> all_ends = ends();
    std::vector<double> result, before(nodes_.size());
    std::size_t next = 0;
    for (std::size_t k = 0; k + 1 < all_ends.size(); ++k) {
      before.swap(values_);
      evaluate(0.5 * (all_ends[k] + all_ends[k + 1]));
      if (k == 0) continue;
      const std::vector<bool> here = active(before, values_);
      bool some = false;
      while (next < found_.size() && found_[next].x < all_ends[k]) ++next;
      for (; next < found_.size() && found_[next].x <= all_ends[k] + resolution_; ++next) {
        some = some || here[found_[next].node];
      }
      if (some) result.push_back(all_ends[k]);
    }
    return result;
  }

  const Expression& expression_;
  std::span<const Term> nodes_;
  double low_, high_;
  double resolution_;
  std::vector<double> values_;
  std::vector<Jet> jets_;
  std::vector<Found> found_;  // ascending
  Breakpoints result_;
  double work_ = 0;
};

}  // namespace

Breakpoints Expression::breakpoints(double low, double high) const {
  if (!(low < high)) return {};
  return Search(*this, low, high).run();
}

}  // namespace nngpcheck::netsor
