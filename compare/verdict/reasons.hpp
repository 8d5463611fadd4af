// Private to compare/: why a check decides nothing, in words, and what would help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nngpcheck/compare/statistics/ladder_statistics.hpp"
#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

/// "0.82 s", "95 s".
std::string seconds_text(double seconds);

/// "finite-width bias: networks of width 64 and more do not follow …"
std::string bias_reason(const std::vector<std::int64_t>& widths, double p);

/// "heavy tails: fluctuations of networks of widths 1024 to 131072 fall as width^-0.38, …"
std::string heavy_tails_reason(const std::optional<Dispersion>& fluctuations,
                               const std::vector<std::int64_t>& widths);

inline constexpr const char* wider_widths_remedy = "; set wider ones (check.widths)";

/// "a verdict needs about 40 s more (--time, check.time)"; ∞ is more than the options allow.
std::string more_time_remedy(double seconds);

/// "undecided WHEN: no entry is off by > 2.1 %, where 1 % was asked for; …"
std::string undecided_reason(const std::string& when, const CheckResult& result, const CheckOptions& options);

/// "a verdict takes about 40 s; 120 s resolve about 0.8 %"
std::string forecast_text(const Forecast& forecast, const CheckOptions& options);

/// What the kernel's own error bars keep from being shown: that they reach t/2 in some entry, or δ of the
/// exact contract; else "".
std::string own_errors_caveat(const Target& target, std::int64_t repeats, const CheckOptions& options);

}  // namespace nngpcheck::compare
