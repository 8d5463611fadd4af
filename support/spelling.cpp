#include "nngpcheck/support/spelling.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

namespace nngpcheck::support {

namespace {

std::string folded(std::string_view word) {
  std::string result(word);
  for (char& c : result) c = c == '-' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

/// Insertions, deletions, substitutions and exchanges of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before, last(right.size() + 1), row(right.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool equal = left[i - 1] == right[j - 1];
      row[j] = std::min({row[j - 1] + 1, last[j] + 1, last[j - 1] + (equal ? 0 : 1)});
      const bool exchanged = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (exchanged) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = std::exchange(last, row);
  }
  return last.back();
}

}  // namespace

std::string close_spelling(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string folded_word = folded(word);
  const std::size_t most = word.size() < 2 ? 0 : std::max<std::size_t>(1, word.size() / 3);
  std::string best;
  std::pair<std::size_t, std::size_t> least = {most, std::numeric_limits<std::size_t>::max()};
  for (const std::string& candidate : candidates) {
    const std::size_t longer =
        std::max(candidate.size(), word.size()) - std::min(candidate.size(), word.size());
    if (longer > most) continue;  // first: a word from a file may be long
    const std::pair distance = {edit_distance(folded_word, folded(candidate)), longer};
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

std::string advice(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string close = close_spelling(word, candidates);
  if (!close.empty()) return "; did you mean \"" + close + "\"?";
  std::string result;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    result += k == 0 ? "; valid are " : k + 1 == candidates.size() ? " and " : ", ";
    if (candidates.size() == 1) result = "; valid is ";
    result += candidates[k];
  }
  return result;
}

std::string shortest(double value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

}  // namespace nngpcheck::support
