#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::netsor {

/// The candidate with the smallest edit distance (Levenshtein) to `word`; the first among equals, and ""
/// if there are none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// The shortest decimal text that reads back as the same double: "0.1", "1", "1e-08".
std::string shortest(double value);

}  // namespace nngpcheck::netsor
