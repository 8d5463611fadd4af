#include "nngpcheck/files/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nngpcheck/files/utf8.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::files {

namespace {

using namespace std::string_view_literals;

/// A format by the bytes that stand at a place in its files.
struct Format {
  std::size_t at;
  std::string_view bytes;
  std::string_view what;
  std::string_view remedy;
  bool is_text = false;
};

constexpr std::string_view python = "in Python: ";
constexpr std::string_view save_pixels =
    "numpy.save(\"x.npy\", numpy.stack([numpy.asarray(PIL.Image.open(f)) for f in files]))";
constexpr std::string_view save_frame = "save it as CSV: pandas' df.to_csv(\"x.csv\", index=False)";
constexpr std::string_view save_as_csv = "save the sheet as CSV (\"CSV UTF-8\")";
constexpr std::string_view unpack = "unpack it, and name the file of numbers in it";
constexpr std::string_view save_as_utf8 = "save it as UTF-8, for example by iconv -f UTF-16 -t UTF-8";

const Format formats[] = {
    {0, "\xFF\xFE"sv, "a text in UTF-16", save_as_utf8},
    {0, "\xFE\xFF"sv, "a text in UTF-16", save_as_utf8},
    {0, "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19"sv, "a file of torch.save",
     "in Python: numpy.save(\"x.npy\", torch.load(file).numpy())"},
    {0, "\x89HDF\r\n"sv, "an HDF5 file", "in Python: numpy.save(\"x.npy\", h5py.File(file)[name][:])"},
    {0, "MATLAB 5.0 MAT-file"sv, "a MATLAB file",
     "in Python: numpy.save(\"x.npy\", scipy.io.loadmat(file)[name])"},
    {0, "PAR1"sv, "a Parquet file", save_frame},
    {0, "ARROW1"sv, "an Arrow file", save_frame},
    {0, "FEA1"sv, "a Feather file", save_frame},
    {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an old Excel file", save_as_csv},
    {0, "\x89PNG\r\n"sv, "a PNG picture", save_pixels},
    {0, "\xFF\xD8\xFF"sv, "a JPEG picture", save_pixels},
    {0, "GIF8"sv, "a GIF picture", save_pixels},
    {0, "BM"sv, "a BMP picture", save_pixels},
    {0, "II*\0"sv, "a TIFF picture", save_pixels},
    {0, "MM\0*"sv, "a TIFF picture", save_pixels},
    {8, "WEBP"sv, "a WebP picture", save_pixels},
    {0, "%PDF-"sv, "a PDF document", "save its numbers as CSV", true},
    {0, "SQLite format 3"sv, "an SQLite database", "save the table as CSV"},
    {0, "RDX"sv, "an R file", "in R: write.csv(x, \"x.csv\", row.names = FALSE)"},
    {4, "1AY&SY"sv, "a bzip2 file", unpack},
    {0, "\xFD\x37zXZ\0"sv, "an xz file", unpack},
    {0, "\x28\xB5\x2F\xFD"sv, "a Zstandard file", unpack},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive", unpack},
    {0, "Rar!\x1a"sv, "a RAR archive", unpack},
    {257, "ustar"sv, "a tar archive", unpack},
    {8, "{\""sv, "a safetensors file",
     "in Python: numpy.save(\"x.npy\", safetensors.numpy.load_file(file)[name])"},
    {0, "<!DOCTYPE"sv, "a web page", "download the file itself", true},
    {0, "<html"sv, "a web page", "download the file itself", true},
    {0, "version https://git-lfs"sv, "a pointer to a file in Git LFS", "fetch the file itself: git lfs pull",
     true},
};

[[noreturn]] void refuse(const std::string& name, std::string_view what, std::string_view remedy) {
  throw InputError(fmt::format("{}: {}, which cannot be read here; {}{}", name, what,
                               remedy == save_pixels ? python : "", remedy));
}

bool is_letter(char c) { return c >= ' ' && c <= '~'; }

/// Python's pickles, protocols 2 to 5, end in a stop.
void refuse_pickle(std::string_view bytes, const std::string& name) {
  if (bytes.size() < 3 || bytes[0] != '\x80' || bytes[1] < 2 || bytes[1] > 5 || bytes.back() != '.') return;
  const auto holds = [&](std::string_view text) { return bytes.find(text) != std::string_view::npos; };
  if (holds("batch_label") || holds("fine_labels")) {
    refuse(name, "a CIFAR batch for Python (a pickle)",
           "take the binary version (data_batch_1.bin), or in Python: numpy.save(\"x.npy\", "
           "pickle.load(open(file, "
           "\"rb\"), encoding=\"bytes\")[b\"data\"].reshape(-1, 3, 32, 32))");
  }
  refuse(name, "a Python pickle", "in Python: numpy.save(\"x.npy\", pickle.load(open(file, \"rb\")))");
}

}  // namespace

void refuse_foreign(std::string_view bytes, const std::string& name) {
  refuse_pickle(bytes, name);
  for (const Format& format : formats) {
    if (bytes.size() < format.at || !bytes.substr(format.at).starts_with(format.bytes)) continue;
    // A text may begin with the same letters.
    const bool letters = std::all_of(format.bytes.begin(), format.bytes.end(), is_letter);
    if (letters && !format.is_text && bytes.find('\0') == std::string_view::npos) continue;
    refuse(name, format.what, format.remedy);
  }
}

void refuse_zip(const std::vector<std::string>& members, const std::string& name) {
  const auto any = [&](std::string_view ending) {
    return std::any_of(members.begin(), members.end(),
                       [&](const std::string& member) { return member.ends_with(ending); });
  };
  if (any("/data.pkl"))
    refuse(name, "a file of torch.save", "in Python: numpy.save(\"x.npy\", torch.load(file).numpy())");
  if (any("xl/workbook.xml")) refuse(name, "an Excel file", save_as_csv);
  if (any("content.xml")) refuse(name, "an OpenDocument file", save_as_csv);
  refuse(name, "a zip archive", unpack);
}

void check_text(std::string_view bytes, const std::string& name) {
  const auto is_binary = [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\v' && c != '\f' &&
           c != '\r';
  };
  if (std::any_of(bytes.begin(), bytes.end(), is_binary)) {
    refuse(name, "a binary file of a format that is not known", "save its numbers as .npy or CSV");
  }
  const std::size_t valid = valid_utf8(bytes);
  if (valid == bytes.size()) return;
  const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(valid), '\n');
  throw InputError(fmt::format(
      "{}:{}: not UTF-8; save the file as UTF-8, for example by iconv -f LATIN1 -t UTF-8", name, line));
}

}  // namespace nngpcheck::files
