"""The vocabulary of the sample operator: places, names, plans, rates."""

from __future__ import annotations


def _words(text: str, separator: str | None = None) -> list[str]:
    return text.split(separator)


# region code of seeds/reference/regions.csv, city, class, share of the customers
REGIONS = [
    ("GD-GZ", "Guangzhou", 1, 0.13),
    ("GD-SZ", "Shenzhen", 1, 0.14),
    ("GD-DG", "Dongguan", 2, 0.07),
    ("GD-FS", "Foshan", 2, 0.06),
    ("GD-SG", "Shaoguan", 3, 0.03),
    ("GD-ZJ", "Zhanjiang", 3, 0.04),
    ("ZJ-HZ", "Hangzhou", 1, 0.11),
    ("ZJ-NB", "Ningbo", 1, 0.08),
    ("ZJ-JX", "Jiaxing", 2, 0.04),
    ("ZJ-WZ", "Wenzhou", 2, 0.06),
    ("ZJ-LS", "Lishui", 3, 0.02),
    ("SC-CD", "Chengdu", 1, 0.11),
    ("SC-MY", "Mianyang", 2, 0.04),
    ("SC-NC", "Nanchong", 2, 0.03),
    ("SC-LE", "Leshan", 3, 0.02),
    ("SC-YB", "Yibin", 3, 0.02),
]

SURNAMES = _words(
    "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo "
    "Zheng Liang Xie Song Tang Han Feng Deng Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang"
)

MALE_NAMES = _words(
    "Wei Jun Qiang Lei Yong Jie Tao Ming Chao Bin Peng Hao Zhiqiang Jianguo Haoran Yuchen "
    "Zihan Jianhua Wenjie Zhiyuan Guoliang Xiaodong Kai Yifan Junjie Zhenhua"
)
FEMALE_NAMES = _words(
    "Fang Na Min Jing Li Yan Juan Xia Mei Ling Xiuying Guiying Xinyi Yuhan Zihan Jiayi Lijuan "
    "Xiaohong Yating Meiling Shuang Qian Ying Hui Xue Wenjing"
)

BRANDS = _words(
    "Heng Tong Hua Xin Rui Jin Yuan Tai Kang Long Sheng De Fu Hong Jia Lian Ming Qi Shun Tian "
    "Wan Xing Yi Zhong An Bao Chang Da Guang Hai"
)

OCCUPATIONS = _words(
    "teacher|engineer|sales clerk|driver|civil servant|nurse|shop owner|student|"
    "factory worker|accountant|courier|chef|retired|farmer|designer|programmer",
    separator="|",
)

# section of the national industry classification, share in per mille, business, whether the
# name is an institution's (no Co., Ltd)
INDUSTRIES = [
    ("A", 25, "Agriculture", False),
    ("B", 10, "Mining", False),
    ("C", 190, "Precision Manufacturing", False),
    ("C", 80, "Textile", False),
    ("D", 25, "Power and Water Supply", False),
    ("E", 75, "Construction Engineering", False),
    ("F", 120, "Trading", False),
    ("G", 70, "Logistics", False),
    ("H", 55, "Hotel and Catering", False),
    ("I", 75, "Software Technology", False),
    ("J", 45, "Rural Commercial Bank", True),
    ("K", 40, "Real Estate", False),
    ("L", 45, "Business Services", False),
    ("M", 25, "Testing and Research", False),
    ("N", 15, "Environmental Services", False),
    ("O", 20, "Household Services", False),
    ("P", 25, "Vocational School", True),
    ("Q", 20, "Hospital", True),
    ("R", 15, "Culture and Media", False),
    ("S", 24, "District Administration", True),
    ("T", 1, "Trade Representative Office", True),
]

# why a customer of this industry is important, in per cent of its customers
DESIGNATIONS = [
    ("S", "party_government", 0, 34, "District Government Office"),
    ("S", "security", 34, 56, "Public Security Bureau"),
    ("S", "emergency_service", 56, 76, "Fire and Rescue Brigade"),
    ("S", "military", 76, 90, "Garrison Logistics Station"),
    ("R", "news_media", 0, 45, "Daily News Group"),
    ("J", "finance", 0, 55, "Rural Commercial Bank"),
    ("D", "public_utility", 0, 60, "Water Supply Group"),
    ("Q", "emergency_service", 0, 20, "Emergency Medical Centre"),
]

RIVALS = ["Huayun Mobile", "Lianxin Telecom", "Guangwei Networks"]

TEAMS = ["Key accounts", "Small and medium business", "Public sector"]

# name, objective, in the order in which they are run, one every second month
CAMPAIGNS = [
    ("5G upgrade with double data", "upsell"),
    ("Renew early, keep your price", "renewal"),
    ("Stay with us: loyalty data pack", "retention"),
    ("Come back: first three months at half price", "win_back"),
    ("Gigabit for new homes", "acquisition"),
]

# CNY for one unit, close to seeds/reference/fx_rates.csv: prices of accounts in other
# currencies are set once, not every month
UNITS = [("CNY", 1.0), ("HKD", 0.92), ("USD", 7.18)]
