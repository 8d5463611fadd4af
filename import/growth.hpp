// Numbers and sizes as functions of the width n, known at the archive's three widths.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "nngpcheck/import/archive.hpp"
#include "nngpcheck/netsor/width.hpp"

namespace nngpcheck::importer {

/// A number at each of the archive's widths.
using Values = std::array<double, width_count>;
/// A size at each of them.
using Size = std::array<std::int64_t, width_count>;

inline Values constant_values(double value) { return {value, value, value}; }
Values operator*(const Values& left, const Values& right);
Values operator/(const Values& left, const Values& right);
Values operator+(const Values& left, const Values& right);
/// The size as numbers.
Values values_of(const Size& size);
inline bool all_zero(const Values& values) { return values == Values{}; }
inline bool is_constant(const Size& size) { return size[0] == size[1] && size[1] == size[2]; }

/// A number that is asymptotically limit·n^power.
struct Growth {
  double power = 0;
  double limit = 0;
};

/// What these numbers grow like: powers of n^(1/4), or of one over n + a constant, and their square roots, to
/// 1e-9. None if they are of no such form.
std::optional<Growth> growth(const Values& values, const Size& n);

/// The multiple of n that these sizes are of, to within a constant: n + 5 is n, ⌊8n/3⌋ is 8n/3. Throws
/// ProgramError if there is none.
netsor::Width width_of(const Size& size, const Size& n);

/// "n", "2n", "n+5", "5", "~2.667n".
std::string text(const Size& size, const Size& n);

}  // namespace nngpcheck::importer
