#include "cli/part_of.hpp"

#include <charconv>

#include "cli/usage_error.hpp"

namespace nngpcheck::cli {

support::Part part_of(const std::string& text, const std::string& option) {
  support::Part result;
  const char* last = text.data() + text.size();
  const auto [slash, error] = std::from_chars(text.data(), last, result.index);
  if (error == std::errc() && slash != last && *slash == '/') {
    const auto [end, other_error] = std::from_chars(slash + 1, last, result.count);
    if (other_error == std::errc() && end == last && 1 <= result.index && result.index <= result.count)
      return {result.index - 1, result.count};
  }
  throw UsageError(option + " " + text + ": give I/N with 1 ≤ I ≤ N, such as 2/3 for the second of three");
}

}  // namespace nngpcheck::cli
