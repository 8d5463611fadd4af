#include "compare/junit.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "compare/evidence.hpp"

namespace nngpcheck::compare {

namespace {

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        // XML 1.0 has no other control characters.
        result += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return result;
}

std::string outcome(const NamedResult& named) {
  const CheckResult& result = named.result;
  if (result.verdict == Verdict::agree) {
    return fmt::format("    <system-out>{}</system-out>\n", escaped(verdict_text(named.name, result)));
  }
  const char* element = result.verdict == Verdict::disagree ? "failure" : "error";
  return fmt::format("    <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", element, to_string(result.verdict),
                     escaped(verdict_text(named.name, result)), escaped(to_json(result).dump(1)));
}

}  // namespace

std::string junit(const std::vector<NamedResult>& results) {
  const auto count = [&](Verdict verdict) {
    return std::count_if(results.begin(), results.end(),
                         [&](const NamedResult& named) { return named.result.verdict == verdict; });
  };
  double seconds = 0;
  for (const NamedResult& named : results) seconds += named.result.seconds.value_or(0);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n"
      "  <testsuite name=\"nngpcheck\" tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{:.3f}\">\n",
      results.size(), count(Verdict::disagree), count(Verdict::inconclusive), seconds);
  for (const NamedResult& named : results) {
    text += fmt::format("   <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n{}   </testcase>\n",
                        escaped(named.file), escaped(named.name), named.result.seconds.value_or(0),
                        outcome(named));
  }
  return text + "  </testsuite>\n</testsuites>\n";
}

}  // namespace nngpcheck::compare
