// A check's result for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

/// "agree", "disagree", "inconclusive".
std::string to_string(Verdict verdict);

/// One line:
///
///     agree     NAME: no entry off by > 0.81 % of √(K_aa K_bb) (miss ≤ 1e-3, false alarm ≤ 1e-6); 64
///     ladders, …
///     agree     NAME: within the tolerance of 5 %: no entry off by > 3.2 % of √(K_aa K_bb) (…); …
///     disagree  NAME: p < 1e-9, confirmed on fresh networks; worst entry (dog, lazy): 0.3121 given, …
///     inconclusive NAME: heavy tails: …; 64 ladders, n = 64…8192
///
/// and, of many inputs, which were looked at. Bounds are rounded up.
std::string verdict_text(const std::string& name, const CheckResult& result);

/// What such a line says behind the name, but for the time.
std::string finding_text(const CheckResult& result);

/// {"verdict", "contract": "exact" or "tolerance", "reason", "caveat", "bound", "resolution", "tolerance",
/// "false_alarm", "miss", "p_value", "worst_entry": {"row", "column", "labels", "given", "estimated",
/// "standard_error"}, "diagnosis": {"kind", "value", "interval", "inputs", "text"}, "mistakes": [names],
/// "detectable_error", "scope": {"inputs", "looked_at", "statement"}, "rate": {"slope",
/// "interval", "confidence", "note"}, "rounds": [{"widths", "ladders", "first_network", "dispersion_slope",
/// "p_model", "p_entry", "p_total", "confirmed_p_entry", "confirmed_p_projection", "bound"}, …], "forecast":
/// {"seconds", "resolves"}, "needs_seconds", "seconds"}; null for what is infinite, missing or not known.
nlohmann::ordered_json to_json(const CheckResult& result);

/// "64 of 2000 inputs, at random: a share f of wrong ones is missed with probability at most (1 − f)^64"; ""
/// where all were looked at.
std::string scope_text(const CheckResult& result);

}  // namespace nngpcheck::compare
