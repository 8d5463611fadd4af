#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nngpcheck::support {

/// The candidate that `word` is close to, or "". Close: at most a third of the word's letters (at least one)
/// are missing, superfluous, wrong, or in the place of their neighbour; upper and lower case, and _ and -,
/// count as the same. Among equally close ones that of the most similar length, then the first.
std::string close_spelling(std::string_view word, const std::vector<std::string>& candidates);

/// What a message says behind an unknown word: "; did you mean \"relu\"?" for a close spelling, else
/// "; valid are identity, relu and abs", or "" if nothing is valid.
std::string advice(std::string_view word, const std::vector<std::string>& candidates);

/// The shortest decimal text that reads back as the same double: "0.1", "1", "1e-08".
std::string shortest(double value);

}  // namespace nngpcheck::support
