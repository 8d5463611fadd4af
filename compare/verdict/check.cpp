#include "nngpcheck/compare/verdict/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "nngpcheck/compare/verdict/check_input.hpp"
#include "nngpcheck/compare/verdict/check_round.hpp"

namespace nngpcheck::compare {

namespace {

/// In standard errors of the dispersion's slope.
constexpr double beyond_doubt = 3;

/// How many ladders at which widths.
struct Plan {
  std::vector<std::int64_t> widths;
  std::int64_t ladders = 0;
};

/// The plan whose precision is `factor` times that of `plan`, or as near as the options allow; nothing if
/// they allow less than half as much again.
std::optional<Plan> grown(const Plan& plan, double factor, const CheckOptions& options) {
  Plan result = plan;
  double missing = factor;
  while (missing > 1 && options.largest_width && result.widths.back() <= *options.largest_width / 2) {
    for (std::int64_t& width : result.widths) width *= 2;
    missing /= 2;
  }
  if (missing > 1) {
    const double wanted = std::ceil(static_cast<double>(plan.ladders) * missing);
    result.ladders = static_cast<std::int64_t>(std::min(wanted, static_cast<double>(options.most_ladders)));
  }
  const double reached = static_cast<double>(result.ladders) / static_cast<double>(plan.ladders) *
                         static_cast<double>(result.widths.back() / plan.widths.back());
  if (reached < 1.5) return {};
  return result;
}

class Check {
 public:
  Check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options);
  CheckResult run();

 private:
  /// What a round leads to; a conclusion is in result_.
  enum class Outcome { concluded, next_round };

  Outcome round();
  std::optional<Outcome> follow_up(const Suspicion& suspicion, const Sample& sample);
  Outcome reject(const Confirmation& confirmation, const Suspicion& suspicion, const Sample& fresh);
  Outcome drop_smallest_width(double p);
  Outcome grow(const Sample& sample);
  Outcome conclude(Verdict verdict, std::string reason = {});
  Outcome conclude_heavy_tails();
  std::string bound_text() const;

  Sample draw();
  void observe_fluctuations(const Sample& sample);
  bool heavy_tails(double standard_errors = 0) const;
  void describe(const Sample& sample);
  EntryEvidence entry(const Sample& sample, Eigen::Index e) const;
  CheckRound& record() { return result_.rounds.back(); }

  double confirmation_level() const;
  double certificate_quantile(const Sample& sample) const;

  const DrawLadders& draw_;
  const CheckOptions& options_;
  Target target_;
  Plan plan_;
  SignFlips flips_;
  std::uint64_t next_network_ = 0;
  int screened_ = 0;  // rounds that could have rejected
  int dropped_ = 0;
  bool fluctuates_ = false;                 // some entry
  std::optional<Dispersion> fluctuations_;  // of all ladders of these widths or multiples of them
  CheckResult result_;
};

Check::Check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options)
    : draw_(draw), options_(options) {
  validate(options);
  target_ = make_target(kernel, options);
  plan_ = {options.widths, options.ladders};
  flips_.random.seed(options.seed);
  result_.labels = kernel.labels;
  result_.tolerance = options.tolerance;
  result_.false_alarm = options.false_alarm;
  result_.miss = options.miss;
}

CheckResult Check::run() {
  while (screened_ < options_.rounds) {
    if (round() == Outcome::concluded) return std::move(result_);
  }
  if (heavy_tails()) {
    conclude_heavy_tails();
  } else {
    conclude(Verdict::inconclusive,
             fmt::format("undecided after {} rounds: {}; allow more rounds, or a larger tolerance", screened_,
                         bound_text()));
  }
  return std::move(result_);
}

/// α₂.
double Check::confirmation_level() const {
  return std::min(1., target_.false_alarm / (options_.screening * options_.rounds));
}

double Check::certificate_quantile(const Sample& sample) const {
  return student_quantile(options_.miss / options_.rounds, sample.degrees());
}

Sample Check::draw() {
  const LadderRequest request{plan_.widths, next_network_, plan_.ladders};
  next_network_ += static_cast<std::uint64_t>(plan_.ladders);
  return Sample(draw_ladders(draw_, request, target_), target_);
}

Check::Outcome Check::round() {
  CheckRound start;
  start.widths = plan_.widths;
  start.ladders = plan_.ladders;
  start.first_network = next_network_;
  result_.rounds.push_back(std::move(start));
  const Sample sample = draw();
  std::optional<Residuals> residuals;
  observe_fluctuations(sample);
  if (!sample.fluctuating.empty()) {
    residuals.emplace(sample);
    record().p_model = residuals->p_model(flips_);
  }
  describe(sample);
  if (record().p_model && *record().p_model <= options_.model_misfit) {
    return drop_smallest_width(*record().p_model);
  }
  ++screened_;
  const Suspicion suspicion = screen(sample, residuals ? &*residuals : nullptr, target_, flips_);
  record().p_entry = suspicion.p_entry;
  record().p_total = suspicion.p_total;
  residuals.reset();
  if (heavy_tails(beyond_doubt)) return conclude_heavy_tails();
  if (suspicion.p() <= options_.screening / 2 && !heavy_tails()) {
    if (const auto outcome = follow_up(suspicion, sample)) return *outcome;
  }
  if (result_.bound <= options_.tolerance && !heavy_tails()) return conclude(Verdict::agree);
  return grow(sample);
}

/// Nothing if fresh networks do not confirm the suspicion, or tails become doubtful.
std::optional<Check::Outcome> Check::follow_up(const Suspicion& suspicion, const Sample& sample) {
  const Sample fresh = draw();
  const Confirmation confirmation = confirm(suspicion, fresh, target_);
  record().confirmed_p_entry = confirmation.p_entry;
  record().confirmed_p_projection = confirmation.p_projection;
  observe_fluctuations(fresh);
  if (2 * confirmation.p() > confirmation_level() || heavy_tails()) return {};
  if (!sample.fluctuating.empty()) {
    const Sample all(concatenate(sample.ladders, fresh.ladders), target_);
    const double p = Residuals(all).p_model(flips_);
    record().p_model = std::min(*record().p_model, p);
    if (p <= options_.model_misfit) return drop_smallest_width(p);
  }
  return reject(confirmation, suspicion, fresh);
}

Check::Outcome Check::reject(const Confirmation& confirmation, const Suspicion& suspicion,
                             const Sample& fresh) {
  describe(fresh);
  result_.worst = entry(fresh, suspicion.entry);
  const double networks = options_.rounds * options_.screening * 2 * confirmation.p();
  result_.p_value = std::min(1., networks + (options_.false_alarm - target_.false_alarm));
  return conclude(Verdict::disagree, confirmation.p_entry <= confirmation.p_projection
                                         ? "the worst entry is off"
                                         : "all entries together are off");
}

Check::Outcome Check::drop_smallest_width(double p) {
  result_.bound = std::numeric_limits<double>::infinity();  // it rests on an extrapolation that does not hold
  if (dropped_ == options_.most_dropped_widths || plan_.widths.size() == fewest_widths) {
    return conclude(
        Verdict::inconclusive,
        fmt::format("finite-width bias: networks of width {} and more do not follow K + B/n + C/n² "
                    "(p = {:.1g}); use larger widths",
                    plan_.widths.front(), p));
  }
  ++dropped_;
  fluctuations_.reset();
  plan_.widths.erase(plan_.widths.begin());
  return Outcome::next_round;
}

Check::Outcome Check::grow(const Sample& sample) {
  const double tests = static_cast<double>(target_.entries());
  const double quantiles =
      student_quantile(options_.screening / (4 * tests), sample.degrees()) + certificate_quantile(sample);
  const double room =
      std::max(options_.tolerance - target_.dead_zone.cwiseQuotient(target_.scale).maxCoeff(), 1e-300);
  const double wanted = quantiles * relative_standard_error(sample, target_) / room;
  const double factor = std::clamp(1.2 * wanted * wanted, 2., options_.largest_growth);
  const auto next = grown(plan_, factor, options_);
  if (next || screened_ == options_.rounds) {
    plan_ = next.value_or(plan_);
    return Outcome::next_round;
  }
  if (heavy_tails()) return conclude_heavy_tails();
  return conclude(
      Verdict::inconclusive,
      fmt::format("budget: with {} ladders up to width {}, {}; allow more ladders, larger widths, or "
                  "a larger tolerance",
                  plan_.ladders, plan_.widths.back(), bound_text()));
}

std::string Check::bound_text() const {
  if (std::isinf(result_.bound)) return "the smallest width had to be left out and no bound is known";
  return fmt::format("no entry is off by > {}, where {} was asked for", percent_at_most(result_.bound),
                     percent_at_most(options_.tolerance));
}

Check::Outcome Check::conclude(Verdict verdict, std::string reason) {
  result_.verdict = verdict;
  result_.reason = std::move(reason);
  return Outcome::concluded;
}

Check::Outcome Check::conclude_heavy_tails() {
  result_.bound = std::numeric_limits<double>::infinity();  // it rests on standard errors that mean nothing
  if (!fluctuations_) {
    return conclude(
        Verdict::inconclusive,
        "heavy tails: some networks have exactly the same kernel and others do not, so that nothing "
        "is known of the variance; use larger widths");
  }
  return conclude(
      Verdict::inconclusive,
      fmt::format("heavy tails: fluctuations fall as width^{:.2f}, not width^-0.50, so that their "
                  "variance may be infinite (as behind steep activations such as exp); use larger "
                  "widths",
                  fluctuations_->slope));
}

void Check::observe_fluctuations(const Sample& sample) {
  if (sample.fluctuating.empty()) return;
  fluctuates_ = true;
  const std::optional<Dispersion> observed = dispersion(sample.ladders);
  fluctuations_ = observed && fluctuations_ ? pooled(*observed, *fluctuations_) : observed;
  record().fluctuations = fluctuations_;
}

bool Check::heavy_tails(double standard_errors) const {
  if (!fluctuations_) return fluctuates_;
  return fluctuations_->slope - standard_errors * fluctuations_->standard_error >
         options_.largest_dispersion_slope;
}

EntryEvidence Check::entry(const Sample& sample, Eigen::Index e) const {
  return {entry_position(e), target_.value(e), target_.value(e) + sample.statistics.mean(e),
          sample.statistics.standard_error(e)};
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
  result_.estimate = symmetric_matrix(target_.value + sample.statistics.mean);
  result_.estimate_standard_error = symmetric_matrix(sample.statistics.standard_error);
  result_.rate = fit_rate(sample.ladders.widths, relative_squared_errors(sample.ladders, target_.value),
                          std::pow(rounding(options_.precision).spread, 2));
}

}  // namespace

CheckResult check(const kernels::Kernel& kernel, const DrawLadders& draw, const CheckOptions& options) {
  return Check(kernel, draw, options).run();
}

}  // namespace nngpcheck::compare
