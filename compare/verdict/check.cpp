#include "nngpcheck/compare/verdict/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "nngpcheck/compare/error.hpp"
#include "nngpcheck/compare/verdict/check_input.hpp"
#include "nngpcheck/compare/verdict/check_plan.hpp"
#include "nngpcheck/compare/verdict/check_round.hpp"
#include "nngpcheck/compare/verdict/reasons.hpp"

namespace nngpcheck::compare {

namespace {

using Eigen::Index;

/// In standard errors of the dispersion's slope.
constexpr double beyond_doubt = 3;

constexpr std::int64_t pilot_ladders = 8;
/// Of wider networks, a pilot only looks at the clock.
constexpr std::int64_t timed_networks = 4;
/// Of the time, what a pilot may take until it makes do with narrow networks.
constexpr double pilot_share = 0.25;
/// The fewest ladders of a round that is cut short by the time.
constexpr std::int64_t fewest_ladders = 16;
/// A first round is small, to see gross errors at little cost, unless it would take just a few times as much
/// to decide.
constexpr double largest_first_growth = 4;
/// Of the time, what a first round may take until it makes do with the ladders that it should need.
constexpr double long_round = 0.25;
/// How many times as many show whether tails are heavy.
constexpr double ladders_for_doubt = 4;
/// A pilot asks for widths with E‖K̂ − E K̂‖²_F at most this times ‖E K̂‖²_F. Relu networks of depth L have
/// (1 + 5/n)^L − 1, and above it tails like those of a log-normal law.
constexpr double largest_relative_variance = 0.5;

constexpr Index all_of_up_to = 128;
constexpr Index some_of_many = 64;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Check {
 public:
  Check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options);
  CheckResult run();

 private:
  /// What a step leads to; a conclusion is in result_.
  enum class Outcome { concluded, next_round };

  Outcome pilot();
  Forecast plan_for(const Fluctuations& fluctuations, const std::string& source);
  Ladders draw_pilot();
  std::int64_t drawn_ladders() const;
  double cost_of_round() const;
  void move_up_to(double relative_variance);
  void grow_first_round(const Fluctuations& fluctuations);
  void spare_ladders(double error, const Demand& demand);
  Forecast forecast(const Fluctuations& fluctuations) const;
  double seconds_to_agree(double error, int screened, double missed) const;
  Outcome fit_first_round();

  Outcome round();
  std::optional<Outcome> follow_up(const Suspicion& suspicion, const Sample& sample);
  Outcome reject(const Confirmation& confirmation, const Suspicion& suspicion, const Sample& fresh);
  Outcome move_up(const std::string& problem);
  Outcome grow(const Sample& sample);
  Outcome conclude(Verdict verdict, std::string reason = {});
  Outcome conclude_undecided(const std::string& when);

  void choose_inputs();
  Ladders draw(const std::vector<std::int64_t>& widths, std::int64_t count, const std::string& purpose);
  Sample draw_round(const std::string& purpose);
  void observe_fluctuations(const Sample& sample);
  bool heavy_tails() const { return slope_exceeds(tails_seen_ ? -1 : 0); }
  bool slope_exceeds(double standard_errors) const;
  void describe(const Sample& sample);
  EntryEvidence entry(const Sample& sample, Index e) const;
  CheckRound& record() { return result_.rounds.back(); }

  double confirmation_level() const;
  double certificate_quantile(const Sample& sample) const;
  double elapsed() const { return clock_() - start_; }
  double time_left() const { return options_.time - elapsed(); }

  const DrawLadders& draw_;
  const CheckOptions& options_;
  const std::function<double()> clock_;
  const double start_;
  Target all_;     // inputs
  Target target_;  // those that the round looks at
  Plan plan_;
  Cost cost_;
  double directions_ = 1;         // in which networks fluctuate, as planned with
  std::optional<Ladders> drawn_;  // the first ladders of the next round, where it has the pilot's widths
  SignFlips flips_;
  std::mt19937_64 choice_;  // of inputs
  std::uint64_t next_network_ = 0;
  int screened_ = 0;                        // rounds that could have rejected
  bool fluctuates_ = false;                 // some entry
  bool was_enough_ = false;                 // a round that a right kernel should have passed
  bool tails_seen_ = false;                 // of narrower networks: what rules them out must be surer
  std::optional<Dispersion> fluctuations_;  // of all ladders of these widths or multiples of them
  CheckResult result_;
};

Check::Check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options)
    : draw_(draw),
      options_(options),
      clock_(options.clock ? options.clock : steady_seconds),
      start_(clock_()) {
  validate(options);
  all_ = make_target(kernel, options);
  target_ = all_;
  plan_ = {options.widths, options.ladders};
  flips_.random.seed(options.seed);
  choice_.seed(options.seed);
  result_.labels = kernel.labels;
  result_.resolution = options.resolution;
  result_.tolerance = options.tolerance;
  result_.false_alarm = options.false_alarm;
  result_.miss = options.miss;
  result_.all_inputs = kernel.value.rows();
  result_.caveat = own_errors_caveat(all_, kernel.repeats, options);
}

CheckResult Check::run() {
  if (options_.tolerance && !result_.caveat.empty()) {
    conclude(Verdict::inconclusive, std::exchange(result_.caveat, {}));
    return std::move(result_);
  }
  if (pilot() == Outcome::concluded) return std::move(result_);
  while (screened_ < options_.rounds) {
    if (round() == Outcome::concluded) return std::move(result_);
  }
  if (heavy_tails()) {
    result_.bound = std::numeric_limits<double>::infinity();
    conclude(Verdict::inconclusive, heavy_tails_reason(fluctuations_, plan_.widths) + wider_widths_remedy);
  } else {
    conclude_undecided(fmt::format("after {} rounds", screened_));
  }
  return std::move(result_);
}

/// Finds widths, and what a verdict takes: before the first network where there is foresight, of which a
/// pilot corrects the clock alone; else from networks that nothing else is decided by.
Check::Outcome Check::pilot() {
  choose_inputs();
  std::optional<Fluctuations> fluctuations;
  if (const auto foresight = options_.foresee ? options_.foresee(target_.inputs) : std::nullopt) {
    if (foresight->variance.rows() != std::ssize(target_.inputs))
      throw CompareError("foresight is of another number of inputs than the round's");
    cost_ = Cost(foresight->seconds);
    fluctuations = fluctuations_of(*foresight);
    result_.foreseen = plan_for(*fluctuations, "finite-width law");
  }
  const std::uint64_t first_network = next_network_;
  Ladders drawn = draw_pilot();
  const bool of_first_round = result_.foreseen && drawn.widths == plan_.widths;
  if (!fluctuations) fluctuations = fluctuations_of(drawn);
  if (of_first_round) {
    next_network_ = first_network;
    drawn_ = std::move(drawn);
  }
  result_.forecast = plan_for(*fluctuations, "pilot");
  return fit_first_round();
}

/// Widths and the size of the first round, and what it comes to.
Forecast Check::plan_for(const Fluctuations& fluctuations, const std::string& source) {
  directions_ = fluctuations.directions;
  move_up_to(fluctuations.relative);
  grow_first_round(fluctuations);
  const Forecast result = forecast(fluctuations);
  options_.progress.report({}, [&] { return source + ": " + forecast_text(result, options_); });
  return result;
}

Ladders Check::draw_pilot() {
  Ladders result;
  for (const std::int64_t width : plan_.widths) {
    const double expected = cost_.known() ? cost_.of(width, pilot_ladders) : 0;
    if (cost_.known() && elapsed() + expected > pilot_share * options_.time) break;
    Ladders one = draw({width}, pilot_ladders, "pilot");
    result.widths.push_back(width);
    result.kernels.push_back(std::move(one.kernels.front()));
  }
  next_network_ += pilot_ladders;
  return result;
}

std::int64_t Check::drawn_ladders() const {
  return drawn_ && drawn_->widths == plan_.widths ? drawn_->count() : 0;
}

double Check::cost_of_round() const { return cost_.of({plan_.widths, plan_.ladders - drawn_ladders()}); }

/// As far as there are wider networks, and time for a round of them.
void Check::move_up_to(double relative_variance) {
  while (relative_variance > largest_relative_variance * static_cast<double>(plan_.widths.front())) {
    const auto next = moved_up(plan_, options_);
    if (!next || cost_.of(*next) > time_left()) return;
    plan_ = *next;
    if (cost_.observed()) draw({plan_.widths.back()}, timed_networks, "pilot");
  }
}

/// To what a verdict should need, if that is not much more.
void Check::grow_first_round(const Fluctuations& fluctuations) {
  const double error = foreseen_standard_error(fluctuations, plan_, target_);
  const Demand demand(target_, options_, directions_);
  if (error <= demand.to_agree(plan_.ladders)) return spare_ladders(error, demand);
  const double factor = demand.growth(error, plan_.ladders);
  if (factor > largest_first_growth) return;
  const auto next = grown(plan_, factor, options_);
  if (next && cost_.of(*next) <= time_left()) plan_ = *next;
}

/// Where a round takes long, it has no more ladders than a right kernel should need.
void Check::spare_ladders(double error, const Demand& demand) {
  if (cost_.of(plan_) <= long_round * options_.time) return;
  const auto does = [&](std::int64_t ladders) {
    const double share = static_cast<double>(ladders) / static_cast<double>(plan_.ladders);
    return error / std::sqrt(share) <= demand.to_agree_at_once(ladders);
  };
  std::int64_t ladders = std::min(fewest_ladders, plan_.ladders);
  while (ladders < plan_.ladders && !does(ladders)) ++ladders;
  plan_.ladders = ladders;
}

Forecast Check::forecast(const Fluctuations& fluctuations) const {
  const double error = foreseen_standard_error(fluctuations, plan_, target_), cost = cost_of_round();
  const double affordable = std::max(time_left() / cost, 1e-300);
  const Demand demand(target_, options_, directions_);
  const double missed = 1 - demand.chance_to_agree(error, plan_.ladders);
  return {elapsed() + cost + seconds_to_agree(error, 1, missed),
          demand.bound(error / std::sqrt(affordable), plan_.ladders)};
}

/// Of the rounds that are expected to follow one as planned and with this relative standard error, which does
/// not do with the probability `missed`, if the kernel is right; ∞ if the options allow none that should do.
double Check::seconds_to_agree(double error, int screened, double missed) const {
  const Demand demand(target_, options_, directions_);
  Plan plan = plan_;
  double result = 0;
  bool again = was_enough_;
  for (; missed > 0.01; ++screened) {
    const auto next = grown(plan, demand.growth(error, plan.ladders, again), options_);
    if (!next || screened == options_.rounds)
      return missed > 0.5 ? std::numeric_limits<double>::infinity() : result;
    again = again || error <= demand.to_agree(plan.ladders);
    error *= std::sqrt(plan.precision() / next->precision());
    plan = *next;
    result += missed * cost_.of(plan);
    missed *= 1 - demand.chance_to_agree(error, plan.ladders);
  }
  return result;
}

Check::Outcome Check::fit_first_round() {
  const double left = time_left();
  const std::int64_t fewest = std::min(fewest_ladders, plan_.ladders);
  if (cost_of_round() > left) {
    const double affordable = std::max(left, 0.) / cost_.of({plan_.widths, 1});
    plan_.ladders = drawn_ladders() + static_cast<std::int64_t>(affordable);
  }
  if (plan_.ladders >= fewest) return Outcome::next_round;
  result_.needs = result_.forecast->seconds - options_.time;
  return conclude(
      Verdict::inconclusive,
      fmt::format("time: one network of width {} takes about {}; {}", plan_.widths.back(),
                  seconds_text(cost_.of(plan_.widths.back(), 1)), more_time_remedy(*result_.needs)));
}

/// α₂.
double Check::confirmation_level() const {
  return std::min(1., all_.false_alarm / (options_.screening * options_.rounds));
}

double Check::certificate_quantile(const Sample& sample) const {
  return student_quantile(options_.miss / options_.rounds, sample.degrees());
}

void Check::choose_inputs() {
  const Index all = result_.all_inputs, count = looks_at(options_, all);
  if (count == all) return;
  std::vector<Index> chosen;
  std::sample(all_.inputs.begin(), all_.inputs.end(), std::back_inserter(chosen), count, choice_);
  target_ = between(all_, chosen);
}

Ladders Check::draw(const std::vector<std::int64_t>& widths, std::int64_t count, const std::string& purpose) {
  const bool all = std::ssize(target_.inputs) == result_.all_inputs;
  Ladders result;
  for (const std::int64_t width : widths) {
    const double start = clock_();
    Ladders one = draw_ladders(
        draw_, {{width}, next_network_, count, all ? std::vector<Index>{} : target_.inputs, purpose},
        target_);
    cost_.observe(width, count, clock_() - start);
    result.widths.push_back(width);
    result.kernels.push_back(std::move(one.kernels.front()));
  }
  return result;
}

Sample Check::draw_round(const std::string& purpose) {
  require_memory(plan_, target_);
  const std::string what = fmt::format("round {}, {} of {} ladders, about {}", screened_ + 1, purpose,
                                       plan_.ladders, seconds_text(cost_of_round()));
  const std::int64_t there = drawn_ladders();
  const std::optional<Ladders> drawn = std::exchange(drawn_, {});
  next_network_ += static_cast<std::uint64_t>(there);
  if (there == plan_.ladders) return Sample(*drawn, target_);
  Ladders ladders = draw(plan_.widths, plan_.ladders - there, what);
  next_network_ += static_cast<std::uint64_t>(plan_.ladders - there);
  return Sample(there > 0 ? concatenate(*drawn, ladders) : std::move(ladders), target_);
}

Check::Outcome Check::round() {
  if (!result_.rounds.empty()) choose_inputs();  // the first round's are the pilot's
  CheckRound start;
  start.widths = plan_.widths;
  start.ladders = plan_.ladders;
  start.first_network = next_network_;
  result_.rounds.push_back(std::move(start));
  const Sample sample = draw_round("screening");
  std::optional<Residuals> residuals;
  observe_fluctuations(sample);
  if (!sample.fluctuating.empty()) {
    residuals.emplace(sample);
    record().p_model = residuals->p_model(flips_);
  }
  describe(sample);
  if (record().p_model && *record().p_model <= options_.model_misfit) {
    return move_up(bias_reason(plan_.widths, *record().p_model));
  }
  if (slope_exceeds(beyond_doubt)) {
    tails_seen_ = true;
    return move_up(heavy_tails_reason(fluctuations_, plan_.widths));
  }
  ++screened_;
  const Suspicion suspicion = screen(sample, residuals ? &*residuals : nullptr, target_, flips_);
  record().p_entry = suspicion.p_entry;
  record().p_total = suspicion.p_total;
  residuals.reset();
  if (suspicion.p() <= options_.screening / 2 && !heavy_tails()) {
    if (const auto outcome = follow_up(suspicion, sample)) return *outcome;
  }
  if (result_.bound <= options_.largest_bound() && !heavy_tails()) return conclude(Verdict::agree);
  return grow(sample);
}

/// Nothing if fresh networks do not confirm the suspicion, or tails become doubtful.
std::optional<Check::Outcome> Check::follow_up(const Suspicion& suspicion, const Sample& sample) {
  const Sample fresh = draw_round("confirmation");
  const Confirmation confirmation = confirm(suspicion, fresh, target_);
  record().confirmed_p_entry = confirmation.p_entry;
  record().confirmed_p_projection = confirmation.p_projection;
  observe_fluctuations(fresh);
  if (2 * confirmation.p() > confirmation_level() || heavy_tails()) return {};
  if (!sample.fluctuating.empty()) {
    const Sample all(concatenate(sample.ladders, fresh.ladders), target_);
    const double p = Residuals(all).p_model(flips_);
    record().p_model = std::min(*record().p_model, p);
    if (p <= options_.model_misfit) return move_up(bias_reason(plan_.widths, p));
  }
  return reject(confirmation, suspicion, fresh);
}

Check::Outcome Check::reject(const Confirmation& confirmation, const Suspicion& suspicion,
                             const Sample& fresh) {
  describe(fresh);
  result_.worst = entry(fresh, suspicion.entry);
  const double networks = options_.rounds * options_.screening * 2 * confirmation.p();
  result_.p_value = std::min(1., networks + (options_.false_alarm - all_.false_alarm));
  const Eigen::VectorXd own_errors = target_.dead_zone - options_.allowance() * target_.scale;
  result_.diagnosis = diagnose(fresh, target_, own_errors, options_.groups);
  return conclude(Verdict::disagree, confirmation.p_entry <= confirmation.p_projection
                                         ? "the worst entry is off"
                                         : "all entries together are off");
}

/// To wider networks, because of a problem with these.
Check::Outcome Check::move_up(const std::string& problem) {
  result_.bound = std::numeric_limits<double>::infinity();  // it rests on what does not hold
  const auto next = moved_up(plan_, options_);
  if (!next) return conclude(Verdict::inconclusive, problem + wider_widths_remedy);
  const double missing = cost_.of(*next) - time_left();
  if (missing > 0) {
    result_.needs = missing;
    return conclude(Verdict::inconclusive, problem + "; wider ones: " + more_time_remedy(missing));
  }
  fluctuations_.reset();
  plan_ = *next;
  return Outcome::next_round;
}

Check::Outcome Check::grow(const Sample& sample) {
  if (screened_ == options_.rounds) return Outcome::next_round;  // there is none
  const Demand demand(target_, options_, directions_);
  const double error = relative_standard_error(sample, target_);
  const bool again = std::exchange(was_enough_, was_enough_ || error <= demand.to_agree(plan_.ladders));
  const auto next = heavy_tails() ? with_more_ladders(plan_, ladders_for_doubt, options_)
                                  : grown(plan_, demand.growth(error, plan_.ladders, again), options_);
  if (!next) {
    if (heavy_tails()) return move_up(heavy_tails_reason(fluctuations_, plan_.widths));
    return conclude_undecided(
        fmt::format("with {} ladders up to width {}", plan_.ladders, plan_.widths.back()));
  }
  const double cost = cost_.of(*next), left = time_left();
  if (cost <= left) {
    plan_ = *next;
    return Outcome::next_round;
  }
  // What fits is worth it if it should do for a right kernel.
  const Plan cut{next->widths,
                 static_cast<std::int64_t>(static_cast<double>(next->ladders) * std::max(left, 0.) / cost)};
  if (cut.ladders >= fewest_ladders &&
      error * std::sqrt(plan_.precision() / cut.precision()) <= demand.to_agree(cut.ladders)) {
    plan_ = cut;
    return Outcome::next_round;
  }
  result_.needs = std::max(cost, seconds_to_agree(error, screened_, 1)) - left;
  return conclude_undecided(fmt::format("within {}", seconds_text(options_.time)));
}

Check::Outcome Check::conclude(Verdict verdict, std::string reason) {
  result_.verdict = verdict;
  result_.reason = std::move(reason);
  return Outcome::concluded;
}

Check::Outcome Check::conclude_undecided(const std::string& when) {
  return conclude(Verdict::inconclusive, undecided_reason(when, result_, options_));
}

void Check::observe_fluctuations(const Sample& sample) {
  if (sample.fluctuating.empty()) return;
  fluctuates_ = true;
  const std::optional<Dispersion> observed = dispersion(sample.ladders);
  fluctuations_ = observed && fluctuations_ ? pooled(*observed, *fluctuations_) : observed;
  record().fluctuations = fluctuations_;
}

/// The dispersion's slope that which is taken for −1/2, by so many of its standard errors.
bool Check::slope_exceeds(double standard_errors) const {
  if (!fluctuations_) return fluctuates_;
  return fluctuations_->slope - standard_errors * fluctuations_->standard_error >
         options_.largest_dispersion_slope;
}

EntryEvidence Check::entry(const Sample& sample, Index e) const {
  return {target_.position(e), target_.value(e), target_.value(e) + sample.statistics.mean(e),
          sample.statistics.standard_error(e), target_.scale(e)};
}

/// Makes this sample the evidence of the result.
void Check::describe(const Sample& sample) {
  const Bound bound = largest_difference(sample, target_, certificate_quantile(sample));
  const double tests = static_cast<double>(target_.entries());
  const double quantile =
      student_quantile(std::min(options_.screening / (4 * tests), confirmation_level() / 2),
                       sample.degrees()) +
      student_quantile(options_.miss / 2, sample.degrees());
  result_.bound = bound.value;
  record().bound = bound.value;
  result_.worst = entry(sample, bound.entry);
  result_.detectable = detectable_error(sample, target_, quantile);
  result_.inputs = target_.inputs;
  result_.estimate = symmetric_matrix(target_.value + sample.statistics.mean);
  result_.estimate_standard_error = symmetric_matrix(sample.statistics.standard_error);
  result_.rate = fit_rate(sample.ladders.widths, relative_squared_errors(sample.ladders, target_.value),
                          std::pow(rounding(options_.precision).spread, 2));
}

}  // namespace

Index looks_at(const CheckOptions& options, Index inputs) {
  if (options.inputs) return std::min(*options.inputs, inputs);
  return inputs <= all_of_up_to ? inputs : some_of_many;
}

CheckResult check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options) {
  return Check(kernel, draw, options).run();
}

}  // namespace nngpcheck::compare
