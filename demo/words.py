"""The words of the demo: one list a field of an order, read by the text writer and the dataset writer alike."""


def _row(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


NAMES = _row(
    """
    Ada Agnes Albert Alice Amir Anders Anna Anton Arthur Astrid Aylin Bella Ben Bianca Bruno Carla Carmen Cecilia
    Chloe Clara Daniel Daria David Diego Dora Edith Elena Elias Ella Emil Emma Erik Esther Eva Farid Felix Fiona
    Flora Frank Freya George Greta Hana Hannah Harry Hassan Hector Hugo Ida Igor Ines Ingrid Irene Isaac Ivan Jakob
    Jana Jasper Jonas Jorge Judith Julia Kai Karl Karin Katya Kenji Lara Laura Leah Leila Leo Lina Lucas Lucy Luis
    Magda Maja Marco Maria Marta Maya Mikko Milan Mina Nadia Nina Noah Nora Olga Oliver Omar Oscar Otto Paula Pedro
    Petra Priya Rafael Ravi Rita Robin Rosa Ruth Samir Sara Selma Simon Sofia Stefan Sven Tara Theo Tomas Ursula
    Vera Victor Viola Walter Wanda Yara Yusuf Zoe
    """
)

CITIES = _row(
    """
    Aarhus Accra Athens Austin Bergen Berlin Bern Bilbao Bogota Boston Bremen Bristol Brno Cairo Calgary Cardiff
    Chicago Cork Dakar Dallas Delhi Denver Dresden Dublin Durban Essen Geneva Genoa Ghent Glasgow Graz Hamburg Hanoi
    Havana Helsinki Istanbul Izmir Kyiv Kyoto Lagos Leeds Leipzig Lille Lima Lisbon London Lyon Madrid Malaga Malmo
    Manila Miami Milano Montreal Mumbai Munich Nairobi Nantes Naples Nice Odense Osaka Oslo Ottawa Oxford Palermo
    Paris Perth Porto Prague Quito Riga Rome Rotterdam Seattle Seoul Seville Split Stockholm Sydney Tallinn Tampere
    Tokyo Toledo Toronto Trieste Tunis Turin Turku Utrecht Valencia Vienna Vilnius Warsaw York Zagreb Zurich
    """
)

ITEMS = _row(
    """
    apron armchair backpack basket bell belt bench blanket book bookcase bottle bowl bracelet broom bucket button
    candle cap carpet chair clock coat cup curtain cushion desk doll drum fan flask flute fork frame glove guitar
    hammer hat jacket jar jug kettle kite ladder lamp lantern mirror mitten mug napkin necklace notebook oven paddle
    pan pen pencil piano pillow plate pot puzzle quilt radio ribbon ring robe rope rug saddle sandal scarf shawl
    shirt skirt sledge sock sofa spoon stool suitcase sweater table teapot tent ticket towel tray trumpet umbrella
    vase violin wallet whistle
    """
)

COLOURS = _row(
    """
    amber beige black blue bronze brown cream crimson gold green grey orange pink purple red silver white yellow
    """
)

DAYS = _row("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

NUMBERS = _row("zero one two three four five six seven eight nine ten eleven twelve")
"""Number words; a word's place in the tuple is its value."""

SYLLABLES = _row(
    """
    ba bel bor da den dor el fa fen gar gil ha hol in ka kel kor la len lor ma mel mor na nel nor or pa pel ra ren
    ri sa sel shi ta tal tor ul va ven vor wa wen wick yor za zel
    """
)
"""Parts of made-up words, which teach the model to copy what it has never seen."""


def plural(item: str) -> str:
    """The plural of a word of ITEMS, in English spelling."""
    if item.endswith(("s", "x", "ch", "sh")):
        return f"{item}es"
    return f"{item}s"
